// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace EbpfLb.Linux.Netlink;

/// <summary>Walks attributes: struct nlattr, each padded to 4 bytes. A length that does not fit is an error, never a read beyond.</summary>
internal ref struct NetlinkAttributes
{
    public const int HeaderSize = 4;

    // The upper two bits say nested, and byte order.
    private const ushort NLA_TYPE_MASK = 0x3fff;

    private ReadOnlySpan<byte> _rest;

    public NetlinkAttributes(ReadOnlySpan<byte> bytes)
    {
        _rest = bytes;
    }

    public int Type { get; private set; }

    public ReadOnlySpan<byte> Value { get; private set; }

    public bool Next()
    {
        // As the kernel does: what is too short for a header is padding.
        if (_rest.Length < HeaderSize)
            return false;
        int length = BinaryPrimitives.ReadUInt16LittleEndian(_rest);
        if (length < HeaderSize || length > _rest.Length)
            NetlinkMessage.ThrowMalformed($"an attribute of {length} bytes in {_rest.Length}");
        Type = BinaryPrimitives.ReadUInt16LittleEndian(_rest[2..]) & NLA_TYPE_MASK;
        Value = _rest[HeaderSize..length];
        _rest = _rest[Math.Min(NetlinkMessage.Align(length), _rest.Length)..];
        return true;
    }

    public readonly ushort ReadUInt16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(sizeof(ushort)));

    public readonly uint ReadUInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint)));

    public readonly int ReadInt32() => BinaryPrimitives.ReadInt32LittleEndian(Take(sizeof(int)));

    public readonly ulong ReadUInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(sizeof(ulong)));

    /// <summary>Up to the first zero.</summary>
    public readonly string ReadText()
    {
        int end = Value.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? Value : Value[..end]);
    }

    public readonly IPAddress ReadAddress() => ToAddress(Value);

    /// <summary>struct rtvia: an address family, then an address.</summary>
    public readonly IPAddress ReadVia() => ToAddress(Value.Length < sizeof(ushort) ? default : Value[sizeof(ushort)..]);

    private static IPAddress ToAddress(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length is not (4 or 16))
            NetlinkMessage.ThrowMalformed($"an address of {bytes.Length} bytes");
        return new IPAddress(bytes);
    }

    private readonly ReadOnlySpan<byte> Take(int length)
    {
        if (Value.Length < length)
            NetlinkMessage.ThrowMalformed($"attribute {Type} of {Value.Length} bytes");
        return Value;
    }
}
