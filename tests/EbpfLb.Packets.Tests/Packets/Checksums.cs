// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers.Binary;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Packets.Tests.Packets;

/// <summary>RFC 1071 and RFC 9260, appendix A, written down as they stand there.</summary>
internal static class Checksums
{
    private const uint Castagnoli = 0x82f63b78;

    private static readonly uint[] CrcTable = MakeCrcTable();

    /// <summary>The sum of 16-bit words, folded, not yet complemented. 0 only if every byte is 0.</summary>
    public static ushort Sum(ReadOnlySpan<byte> bytes, ulong start = 0)
    {
        ulong sum = start;
        int i = 0;
        for (; i + 1 < bytes.Length; i += 2)
            sum += BinaryPrimitives.ReadUInt16BigEndian(bytes[i..]);
        if (i < bytes.Length)
            sum += (uint)bytes[i] << 8;
        return Fold(sum);
    }

    public static ushort Fold(ulong sum)
    {
        while (sum >> 16 != 0)
            sum = (sum & 0xffff) + (sum >> 16);
        return (ushort)sum;
    }

    /// <summary>a - b, in one's complement.</summary>
    public static ushort Difference(ushort a, ushort b) => Fold((ulong)a + (ushort)~b);

    public static ushort PseudoHeader(Address source, Address destination, byte protocol, int length)
    {
        Span<byte> bytes = stackalloc byte[32];
        source.CopyTo(bytes);
        destination.CopyTo(bytes[16..]);
        ulong sum = source.IsIPv4
            ? (ulong)Sum(bytes[12..16]) + Sum(bytes[28..32])
            : Sum(bytes);
        return Fold(sum + protocol + ((uint)length >> 16) + ((uint)length & 0xffff));
    }

    /// <summary>As a number; SCTP carries it little-endian.</summary>
    public static uint Crc32C(ReadOnlySpan<byte> bytes)
    {
        uint crc = ~0u;
        foreach (byte value in bytes)
            crc = (crc >> 8) ^ CrcTable[(byte)(crc ^ value)];
        return ~crc;
    }

    private static uint[] MakeCrcTable()
    {
        var table = new uint[256];
        for (uint i = 0; i < 256; i++)
        {
            uint crc = i;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? (crc >> 1) ^ Castagnoli : crc >> 1;
            table[i] = crc;
        }

        return table;
    }
}
