// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers.Binary;
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Packets.Tests.Packets;

/// <summary>
/// A frame as a test describes it: made with <c>with</c>, turned into bytes at the end. The family is that of the source. Whatever is not
/// given is right: lengths, checksums, next headers.
/// </summary>
internal sealed record Packet(Address Source, Address Destination, Layer4 Content)
{
    public const ushort IPv4EtherType = 0x0800;
    public const ushort IPv6EtherType = 0x86dd;

    public MacAddress DestinationMac { get; init; }

    public MacAddress SourceMac { get; init; }

    /// <summary>Ethertype of the tag and tag control information, outermost first.</summary>
    public (ushort Type, ushort Control)[] Tags { get; init; } = [];

    public ushort? EtherType { get; init; }

    public byte Ttl { get; init; } = 64;

    /// <summary>Traffic class: DSCP and ECN.</summary>
    public byte Tos { get; init; }

    public uint FlowLabel { get; init; }

    public ushort Id { get; init; } = 0x4d2;

    public bool DontFragment { get; init; } = true;

    public bool MoreFragments { get; init; }

    /// <summary>In bytes, a multiple of 8. Of IPv4; IPv6 has an <see cref="Extension"/>.</summary>
    public int FragmentOffset { get; init; }

    /// <summary>Of IPv4, whole words.</summary>
    public byte[] Options { get; init; } = [];

    /// <summary>Of IPv4, in words; null: what is right.</summary>
    public int? HeaderLength { get; init; }

    /// <summary>Total length of IPv4, payload length of IPv6; null: what is right.</summary>
    public int? Length { get; init; }

    /// <summary>Of the IPv4 header.</summary>
    public Sum HeaderSum { get; init; }

    public Extension[] Extensions { get; init; } = [];

    /// <summary>Behind the IP packet, in the frame.</summary>
    public byte[] Trailer { get; init; } = [];

    public bool IsIPv6 => !Source.IsIPv4;

    public static Packet Tcp(Address source, ushort sourcePort, Address destination, ushort destinationPort, TcpFlags flags,
        byte[]? payload = null) =>
        new(source, destination, new TcpSegment(sourcePort, destinationPort, flags) { Payload = payload ?? [] });

    public static Packet Udp(Address source, ushort sourcePort, Address destination, ushort destinationPort, byte[]? payload = null) =>
        new(source, destination, new UdpDatagram(sourcePort, destinationPort) { Payload = payload ?? "a datagram"u8.ToArray() });

    public static Packet Sctp(Address source, ushort sourcePort, Address destination, ushort destinationPort) =>
        new(source, destination, new SctpPacket(sourcePort, destinationPort));

    public Packet Via(MacAddress destination, MacAddress source) => this with { DestinationMac = destination, SourceMac = source };

    public byte[] ToBytes()
    {
        List<byte> bytes = [.. DestinationMac, .. SourceMac];
        foreach (var (type, control) in Tags)
            bytes.AddRange([(byte)(type >> 8), (byte)type, (byte)(control >> 8), (byte)control]);
        ushort etherType = EtherType ?? (IsIPv6 ? IPv6EtherType : IPv4EtherType);
        bytes.AddRange([(byte)(etherType >> 8), (byte)etherType]);
        bytes.AddRange(ToNetworkBytes());
        bytes.AddRange(Trailer);
        return [.. bytes];
    }

    /// <summary>From the IP header on.</summary>
    public byte[] ToNetworkBytes() => IsIPv6 ? ToIPv6() : ToIPv4();

    /// <summary>The same datagram in pieces whose payload is at most <paramref name="size"/> bytes, a multiple of 8.</summary>
    public Packet[] Fragment(int size, uint id)
    {
        byte[] content = Content.ToBytes(Source, Destination);
        var pieces = new List<Packet>();
        for (int at = 0; at < content.Length; at += size)
        {
            byte[] part = content[at..Math.Min(at + size, content.Length)];
            pieces.Add(Piece(part, at, more: at + size < content.Length, id));
        }

        return [.. pieces];
    }

    /// <summary>One piece of a datagram, wherever it claims to lie.</summary>
    public Packet Piece(byte[] part, int at, bool more, uint id)
    {
        var content = new RawContent(Content.Protocol, part);
        return IsIPv6
            ? this with { Content = content, Extensions = [.. Extensions, Extension.Fragment(at, more, id)] }
            : this with { Content = content, FragmentOffset = at, MoreFragments = more, DontFragment = false, Id = (ushort)id };
    }

    private byte[] ToIPv4()
    {
        byte[] content = Content.ToBytes(Source, Destination);
        byte[] header = new byte[20 + Options.Length];
        header[0] = (byte)(0x40 | (HeaderLength ?? header.Length / 4));
        header[1] = Tos;
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(2), (ushort)(Length ?? header.Length + content.Length));
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(4), Id);
        BinaryPrimitives.WriteUInt16BigEndian(
            header.AsSpan(6), (ushort)((DontFragment ? 0x4000 : 0) | (MoreFragments ? 0x2000 : 0) | (FragmentOffset / 8)));
        header[8] = Ttl;
        header[9] = Content.Protocol;
        WriteIPv4(Source, header.AsSpan(12));
        WriteIPv4(Destination, header.AsSpan(16));
        Options.CopyTo(header, 20);
        ushort sum = (ushort)~Checksums.Sum(header);
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(10), HeaderSum == Sum.Right ? sum : Checksums.Fold(sum + 0x1111u));
        return [.. header, .. content];
    }

    private byte[] ToIPv6()
    {
        byte[] content = Content.ToBytes(Source, Destination);
        List<byte> extensions = [];
        for (int i = 0; i < Extensions.Length; i++)
            extensions.AddRange(Extensions[i].ToBytes(i + 1 < Extensions.Length ? Extensions[i + 1].Type : Content.Protocol));
        byte[] header = new byte[40];
        BinaryPrimitives.WriteUInt32BigEndian(header, (6u << 28) | ((uint)Tos << 20) | (FlowLabel & 0xfffff));
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(4), (ushort)(Length ?? extensions.Count + content.Length));
        header[6] = Extensions.Length > 0 ? Extensions[0].Type : Content.Protocol;
        header[7] = Ttl;
        Source.CopyTo(header.AsSpan(8));
        Destination.CopyTo(header.AsSpan(24));
        return [.. header, .. extensions, .. content];
    }

    private static void WriteIPv4(Address address, Span<byte> at)
    {
        Span<byte> mapped = stackalloc byte[16];
        address.CopyTo(mapped);
        mapped[12..].CopyTo(at);
    }
}
