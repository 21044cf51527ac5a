// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers.Binary;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Packets.Tests.Packets;

/// <summary>An IP packet in a frame, or in the quote of an ICMP error. Knows well-formed packets only; null for anything else.</summary>
internal sealed class ParsedPacket
{
    private readonly bool _isQuote;

    private ParsedPacket(byte[] bytes, int network, bool isQuote)
    {
        Bytes = bytes;
        Network = network;
        _isQuote = isQuote;
    }

    public byte[] Bytes { get; }

    /// <summary>Offset of the IP header.</summary>
    public int Network { get; }

    public bool IsIPv6 { get; private set; }

    /// <summary>Offset of what the packet carries; a fragment's part of it.</summary>
    public int Transport { get; private set; }

    /// <summary>Where the packet ends, or the quote of it.</summary>
    public int End { get; private set; }

    /// <summary>A quote may lack its tail.</summary>
    public bool IsWhole { get; private set; }

    public byte Protocol { get; private set; }

    public bool IsFragment { get; private set; }

    public int FragmentOffset { get; private set; }

    public bool MoreFragments { get; private set; }

    /// <summary>Offset of the id of an IPv6 fragment.</summary>
    public int FragmentIdAt { get; private set; }

    public bool DontFragment => IsIPv6 || (Bytes[Network + 6] & 0x40) != 0;

    public byte Ttl => Bytes[Network + (IsIPv6 ? 7 : 8)];

    public Address Source => ReadAddress(SourceAt);

    public Address Destination => ReadAddress(SourceAt + AddressLength);

    public int SourceAt => Network + (IsIPv6 ? 8 : 12);

    public int AddressLength => IsIPv6 ? 16 : 4;

    /// <summary>From the IP header on.</summary>
    public int NetworkLength => End - Network;

    public bool HasPorts => Protocol is Layer4.Tcp or Layer4.Udp or Layer4.Sctp && FragmentOffset == 0 && End - Transport >= 4;

    public ushort SourcePort => BinaryPrimitives.ReadUInt16BigEndian(Bytes.AsSpan(Transport));

    public ushort DestinationPort => BinaryPrimitives.ReadUInt16BigEndian(Bytes.AsSpan(Transport + 2));

    public TcpFlags TcpFlags => (TcpFlags)(Bytes[Transport + 13] & 0x3f);

    /// <summary>Offset of the checksum field; -1 when there is none, or it is not in these bytes.</summary>
    public int SumAt
    {
        get
        {
            int at = Protocol switch
            {
                Layer4.Tcp => 16,
                Layer4.Udp => 6,
                Layer4.Sctp => 8,
                Layer4.Icmp4 when !IsIPv6 => 2,
                Layer4.Icmp6 when IsIPv6 => 2,
                _ => -1,
            };
            int length = Protocol == Layer4.Sctp ? 4 : 2;
            return at < 0 || FragmentOffset != 0 || Transport + at + length > End ? -1 : Transport + at;
        }
    }

    public bool IsIcmpError => SumAt >= 0 && !IsFragment && (IsIPv6
        ? Protocol == Layer4.Icmp6 && Bytes[Transport] is >= 1 and <= 4
        : Protocol == Layer4.Icmp4 && Bytes[Transport] is 3 or 4 or 11 or 12);

    /// <summary>What an ICMP error quotes.</summary>
    public ParsedPacket? Quote => IsIcmpError ? Parse(Bytes, Transport + 8, isQuote: true, End) : null;

    public static ParsedPacket? OfFrame(byte[] frame)
    {
        if (frame.Length < 14)
            return null;

        int etherType = BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(12));
        return etherType is Packet.IPv4EtherType or Packet.IPv6EtherType
            && Parse(frame, 14, isQuote: false, frame.Length) is { } packet && packet.IsIPv6 == (etherType == Packet.IPv6EtherType)
                ? packet
                : null;
    }

    /// <summary>Every checksum that does not hold, in words; what a quote has no room for cannot be told.</summary>
    public IEnumerable<string> WrongSums()
    {
        string what = _isQuote ? "quoted " : "";
        if (!IsIPv6 && Checksums.Sum(Bytes.AsSpan(Network, HeaderLength)) != 0xffff)
            yield return $"{what}IPv4 header";
        if (!IsFragment && IsWhole && SumAt >= 0 && !TransportSumHolds())
            yield return $"{what}protocol {Protocol}";
        foreach (string wrong in Quote?.WrongSums() ?? [])
            yield return wrong;
    }

    /// <summary>What stands in the checksum field means the pseudo header alone.</summary>
    public bool HasPartialSum() => Protocol is Layer4.Tcp or Layer4.Udp && SumAt >= 0
        && BinaryPrimitives.ReadUInt16BigEndian(Bytes.AsSpan(SumAt)) == PseudoHeader();

    public int HeaderLength => IsIPv6 ? 40 : (Bytes[Network] & 15) * 4;

    public ushort PseudoHeader() => Protocol == Layer4.Icmp4
        ? (ushort)0
        : Checksums.PseudoHeader(Source, Destination, Protocol, End - Transport);

    public static ParsedPacket? Parse(byte[] bytes, int network, bool isQuote, int limit)
    {
        if (limit <= network)
            return null;

        var packet = new ParsedPacket(bytes, network, isQuote);
        bool parsed = (bytes[network] >> 4) switch
        {
            4 => packet.ParseIPv4(limit),
            6 => packet.ParseIPv6(limit),
            _ => false,
        };
        return parsed ? packet : null;
    }

    private bool TransportSumHolds()
    {
        if (Protocol == Layer4.Sctp)
        {
            byte[] copy = Bytes[Transport..End];
            uint stored = BinaryPrimitives.ReadUInt32LittleEndian(copy.AsSpan(8));
            copy.AsSpan(8, 4).Clear();
            return Checksums.Crc32C(copy) == stored;
        }

        if (Protocol == Layer4.Udp && !IsIPv6 && BinaryPrimitives.ReadUInt16BigEndian(Bytes.AsSpan(SumAt)) == 0)
            return true;

        return Checksums.Sum(Bytes.AsSpan(Transport, End - Transport), PseudoHeader()) == 0xffff;
    }

    private bool ParseIPv4(int limit)
    {
        if (limit - Network < 20)
            return false;

        int header = (Bytes[Network] & 15) * 4;
        int total = BinaryPrimitives.ReadUInt16BigEndian(Bytes.AsSpan(Network + 2));
        if (header < 20 || header > limit - Network || total < header || (total > limit - Network && !_isQuote))
            return false;

        int fragment = BinaryPrimitives.ReadUInt16BigEndian(Bytes.AsSpan(Network + 6));
        MoreFragments = (fragment & 0x2000) != 0;
        FragmentOffset = (fragment & 0x1fff) * 8;
        IsFragment = MoreFragments || FragmentOffset != 0;
        Protocol = Bytes[Network + 9];
        Transport = Network + header;
        IsWhole = total <= limit - Network;
        End = Math.Min(limit, Network + total);
        return true;
    }

    private bool ParseIPv6(int limit)
    {
        if (limit - Network < 40)
            return false;

        IsIPv6 = true;
        int total = 40 + BinaryPrimitives.ReadUInt16BigEndian(Bytes.AsSpan(Network + 4));
        if (total > limit - Network && !_isQuote)
            return false;

        IsWhole = total <= limit - Network;
        End = Math.Min(limit, Network + total);
        byte next = Bytes[Network + 6];
        int at = Network + 40;
        while (next is 0 or 43 or 44 or 51 or 60)
        {
            if (at + 8 > End)
                return false;

            int length = next switch
            {
                44 => 8,
                51 => (Bytes[at + 1] + 2) * 4,
                _ => (Bytes[at + 1] + 1) * 8,
            };
            if (next == 44)
            {
                int fragment = BinaryPrimitives.ReadUInt16BigEndian(Bytes.AsSpan(at + 2));
                FragmentOffset = fragment & 0xfff8;
                MoreFragments = (fragment & 1) != 0;
                IsFragment = FragmentOffset != 0 || MoreFragments;
                FragmentIdAt = at + 4;
            }

            next = Bytes[at];
            at += length;
            if (at > End)
                return false;

            // The headers behind belong to the first fragment.
            if (FragmentOffset != 0)
                break;
        }

        Protocol = next;
        Transport = at;
        return true;
    }

    private Address ReadAddress(int at) => Address.FromNetworkOrder(Bytes.AsSpan(at, AddressLength));
}
