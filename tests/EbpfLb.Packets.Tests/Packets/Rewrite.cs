// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers.Binary;
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Packets.Tests.Packets;

/// <summary>
/// What a packet looks like after a translation. Checksums are computed from all bytes before and after: one that was right is right again,
/// and one that was off is off by as much, so nobody repairs what the network has damaged. A first fragment's is "off" by the rest.
/// </summary>
internal static class Rewrite
{
    /// <summary>The addresses and ports of a packet, in its own direction.</summary>
    public readonly record struct Tuple(Address Source, ushort SourcePort, Address Destination, ushort DestinationPort)
    {
        public Tuple Reversed => new(Destination, DestinationPort, Source, SourcePort);
    }

    public static Tuple TupleOf(ParsedPacket packet) => new(packet.Source, packet.SourcePort, packet.Destination, packet.DestinationPort);

    public static byte[] Apply(ParsedPacket packet, Tuple to, int ttlLess = 0, (MacAddress Destination, MacAddress Source)? macs = null)
    {
        byte[] bytes = (byte[])packet.Bytes.Clone();
        var result = Reparse(packet, bytes);
        KeepingSums(result, () => Write(result, to, ttlLess));
        WriteMacs(bytes, macs);
        return bytes;
    }

    /// <summary>An ICMP error: its own addresses, and the packet that it quotes.</summary>
    public static byte[] ApplyToError(
        ParsedPacket error, Address source, Address destination, Tuple quote, int ttlLess = 0,
        (MacAddress Destination, MacAddress Source)? macs = null)
    {
        byte[] bytes = (byte[])error.Bytes.Clone();
        var outer = Reparse(error, bytes);
        KeepingSums(outer, () =>
        {
            var inner = outer.Quote!;
            KeepingSums(inner, () => Write(inner, quote, 0));
            WriteAddress(bytes, outer.SourceAt, source);
            WriteAddress(bytes, outer.SourceAt + outer.AddressLength, destination);
            bytes[outer.Network + (outer.IsIPv6 ? 7 : 8)] -= (byte)ttlLess;
        });
        WriteMacs(bytes, macs);
        return bytes;
    }

    private static ParsedPacket Reparse(ParsedPacket packet, byte[] bytes) =>
        ParsedPacket.Parse(bytes, packet.Network, isQuote: false, bytes.Length)!;

    private static void Write(ParsedPacket packet, Tuple to, int ttlLess)
    {
        byte[] bytes = packet.Bytes;
        WriteAddress(bytes, packet.SourceAt, to.Source);
        WriteAddress(bytes, packet.SourceAt + packet.AddressLength, to.Destination);
        bytes[packet.Network + (packet.IsIPv6 ? 7 : 8)] -= (byte)ttlLess;
        if (packet.HasPorts)
        {
            BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(packet.Transport), to.SourcePort);
            BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(packet.Transport + 2), to.DestinationPort);
        }
    }

    private static void KeepingSums(ParsedPacket packet, Action change)
    {
        byte[] bytes = packet.Bytes;
        ushort headerBefore = packet.IsIPv6 ? (ushort)0 : Checksums.Sum(Header(packet));
        bool none = packet.SumAt < 0 || (packet.Protocol == Layer4.Udp && bytes[packet.SumAt] == 0 && bytes[packet.SumAt + 1] == 0);
        bool sctp = packet.Protocol == Layer4.Sctp;
        uint crcBefore = !none && sctp ? Crc(packet) : 0;
        ushort sumBefore = none || sctp ? (ushort)0 : TransportSum(packet);

        change();

        if (!packet.IsIPv6)
            Correct(bytes, packet.Network + 10, headerBefore, Checksums.Sum(Header(packet)));
        if (none)
            return;

        if (sctp)
        {
            var field = bytes.AsSpan(packet.SumAt, 4);
            uint stored = BinaryPrimitives.ReadUInt32LittleEndian(field);
            BinaryPrimitives.WriteUInt32LittleEndian(field, stored ^ crcBefore ^ Crc(packet));
            return;
        }

        Correct(bytes, packet.SumAt, sumBefore, TransportSum(packet));
        if (packet.Protocol == Layer4.Udp && bytes[packet.SumAt] == 0 && bytes[packet.SumAt + 1] == 0)
            BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(packet.SumAt), 0xffff);
    }

    // The sum over everything, checksum included, is the same before and after.
    private static void Correct(byte[] bytes, int at, ushort before, ushort after)
    {
        ushort stored = BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(at));
        ushort corrected = Checksums.Difference(Checksums.Fold((ulong)stored + before), after);
        // Of the two zeros, the one that complementing a sum of packets gives.
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(at), corrected == 0xffff ? (ushort)0 : corrected);
    }

    private static Span<byte> Header(ParsedPacket packet) => packet.Bytes.AsSpan(packet.Network, packet.HeaderLength);

    private static ushort TransportSum(ParsedPacket packet) =>
        Checksums.Sum(packet.Bytes.AsSpan(packet.Transport, packet.End - packet.Transport), packet.PseudoHeader());

    private static uint Crc(ParsedPacket packet)
    {
        byte[] copy = packet.Bytes[packet.Transport..packet.End];
        copy.AsSpan(8, 4).Clear();
        return Checksums.Crc32C(copy);
    }

    private static void WriteAddress(byte[] bytes, int at, Address address)
    {
        Span<byte> mapped = stackalloc byte[16];
        address.CopyTo(mapped);
        (address.IsIPv4 ? mapped[12..] : mapped).CopyTo(bytes.AsSpan(at));
    }

    private static void WriteMacs(byte[] bytes, (MacAddress Destination, MacAddress Source)? macs)
    {
        if (macs is not { } given)
            return;

        ((ReadOnlySpan<byte>)given.Destination).CopyTo(bytes);
        ((ReadOnlySpan<byte>)given.Source).CopyTo(bytes.AsSpan(6));
    }
}
