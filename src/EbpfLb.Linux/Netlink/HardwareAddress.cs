// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers.Binary;

namespace EbpfLb.Linux.Netlink;

/// <summary>A link-layer address of 6 bytes; all zeros stands for none.</summary>
/// <param name="Value">The bytes as a number, the first on the wire the most significant.</param>
public readonly record struct HardwareAddress(ulong Value)
{
    public const int Length = 6;

    public static HardwareAddress None => default;

    public bool IsNone => Value == 0;

    /// <summary>None when the bytes are not 6: devices without addresses, and addresses of other hardware.</summary>
    public static HardwareAddress FromBytes(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Length)
            return None;
        return new(((ulong)BinaryPrimitives.ReadUInt16BigEndian(bytes) << 32) | BinaryPrimitives.ReadUInt32BigEndian(bytes[2..]));
    }

    /// <summary>Six bytes in the order of the wire.</summary>
    public void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt16BigEndian(destination, (ushort)(Value >> 32));
        BinaryPrimitives.WriteUInt32BigEndian(destination[2..], (uint)Value);
    }

    /// <summary>"02:00:00:00:00:01".</summary>
    public override string ToString()
    {
        ulong value = Value;
        return string.Join(':', Enumerable.Range(1, Length).Select(i => $"{(byte)(value >> (8 * (Length - i))):x2}"));
    }
}
