// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers.Binary;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Packets.Tests.Packets;

/// <summary>What stands in a checksum field.</summary>
internal enum Sum
{
    Right,

    /// <summary>Off by something.</summary>
    Wrong,

    /// <summary>For UDP: none was computed.</summary>
    Zero,

    /// <summary>The sum of the pseudo header, as a sender leaves it whose device adds the rest.</summary>
    Partial,
}

[Flags]
internal enum TcpFlags : byte
{
    None = 0,
    Fin = 1,
    Syn = 2,
    Rst = 4,
    Psh = 8,
    Ack = 16,
    Urg = 32,
}

/// <summary>What an IP packet carries.</summary>
internal abstract record Layer4(byte Protocol)
{
    public const byte Icmp4 = 1;
    public const byte Tcp = 6;
    public const byte Udp = 17;
    public const byte Icmp6 = 58;
    public const byte NoNext = 59;
    public const byte Sctp = 132;

    public Sum Sum { get; init; }

    public abstract byte[] ToBytes(Address source, Address destination);

    /// <summary>Stores the checksum, which must be 0 so far, of <paramref name="bytes"/> and a pseudo header.</summary>
    protected void StoreSum(byte[] bytes, int at, Address source, Address destination, bool pseudo = true)
    {
        ushort header = pseudo ? Checksums.PseudoHeader(source, destination, Protocol, bytes.Length) : (ushort)0;
        ushort sum = (ushort)~Checksums.Sum(bytes, header);
        if (sum == 0 && Protocol == Udp)
            sum = 0xffff;
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(at), Sum switch
        {
            Sum.Right => sum,
            Sum.Wrong => Checksums.Fold(sum + 0x1234u),
            Sum.Partial => header,
            _ => 0,
        });
    }

    protected static byte[] Join(params ReadOnlySpan<byte[]> parts)
    {
        List<byte> bytes = [];
        foreach (byte[] part in parts)
            bytes.AddRange(part);
        return [.. bytes];
    }

    protected static byte[] Be16(int value) => [(byte)(value >> 8), (byte)value];

    protected static byte[] Be32(uint value) => [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];
}

internal sealed record TcpSegment(ushort SourcePort, ushort DestinationPort, TcpFlags Flags) : Layer4(Tcp)
{
    public uint Sequence { get; init; } = 0x01020304;

    public uint Acknowledgement { get; init; }

    /// <summary>Whole words.</summary>
    public byte[] Options { get; init; } = [];

    public byte[] Payload { get; init; } = [];

    /// <summary>In words; null: what is right.</summary>
    public int? DataOffset { get; init; }

    public override byte[] ToBytes(Address source, Address destination)
    {
        byte[] bytes = Join(
            Be16(SourcePort), Be16(DestinationPort), Be32(Sequence), Be32(Acknowledgement),
            [(byte)((DataOffset ?? 5 + (Options.Length / 4)) << 4), (byte)Flags], Be16(64240), Be16(0), Be16(0), Options, Payload);
        StoreSum(bytes, 16, source, destination);
        return bytes;
    }
}

internal sealed record UdpDatagram(ushort SourcePort, ushort DestinationPort) : Layer4(Udp)
{
    public byte[] Payload { get; init; } = [];

    /// <summary>Null: what is right.</summary>
    public int? Length { get; init; }

    public override byte[] ToBytes(Address source, Address destination)
    {
        byte[] bytes = Join(Be16(SourcePort), Be16(DestinationPort), Be16(Length ?? 8 + Payload.Length), Be16(0), Payload);
        StoreSum(bytes, 6, source, destination);
        return bytes;
    }
}

internal sealed record SctpPacket(ushort SourcePort, ushort DestinationPort) : Layer4(Sctp)
{
    public const byte Data = 0;
    public const byte Init = 1;
    public const byte InitAck = 2;
    public const byte Abort = 6;

    public byte ChunkType { get; init; } = Init;

    public uint VerificationTag { get; init; }

    public byte[] Payload { get; init; } = new byte[16];

    public override byte[] ToBytes(Address source, Address destination)
    {
        byte[] bytes = Join(
            Be16(SourcePort), Be16(DestinationPort), Be32(VerificationTag), Be32(0), [ChunkType, 0], Be16(4 + Payload.Length), Payload);
        uint crc = Checksums.Crc32C(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), Sum == Sum.Right ? crc : crc ^ 0x1234);
        return bytes;
    }
}

/// <summary>An ICMP message of either version; <paramref name="Rest"/> is the second word.</summary>
internal sealed record IcmpMessage(bool IsIPv6, byte Type, byte Code, uint Rest, byte[] Payload) : Layer4(IsIPv6 ? Icmp6 : Icmp4)
{
    public override byte[] ToBytes(Address source, Address destination)
    {
        byte[] bytes = Join([Type, Code], Be16(0), Be32(Rest), Payload);
        StoreSum(bytes, 2, source, destination, pseudo: IsIPv6);
        return bytes;
    }

    public static IcmpMessage Echo(bool v6) => new(v6, (byte)(v6 ? 128 : 8), 0, 0x00010001, [1, 2, 3, 4]);

    public static IcmpMessage PortUnreachable(bool v6, byte[] quote) => v6 ? new(true, 1, 4, 0, quote) : new(false, 3, 3, 0, quote);

    public static IcmpMessage TooBig(bool v6, uint mtu, byte[] quote) => v6 ? new(true, 2, 0, mtu, quote) : new(false, 3, 4, mtu, quote);

    public static IcmpMessage TimeExceeded(bool v6, byte[] quote) => v6 ? new(true, 3, 0, 0, quote) : new(false, 11, 0, 0, quote);
}

/// <summary>Bytes as they are.</summary>
internal sealed record RawContent(byte Protocol, byte[] Bytes) : Layer4(Protocol)
{
    public override byte[] ToBytes(Address source, Address destination) => Bytes;
}
