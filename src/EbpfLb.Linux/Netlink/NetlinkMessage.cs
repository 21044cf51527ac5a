// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace EbpfLb.Linux.Netlink;

/// <summary>One message: struct nlmsghdr and what follows it.</summary>
internal readonly ref struct NetlinkMessage
{
    public const int HeaderSize = 16;

    public const ushort NLMSG_NOOP = 1;
    public const ushort NLMSG_ERROR = 2;
    public const ushort NLMSG_DONE = 3;
    public const ushort NLMSG_OVERRUN = 4;

    public const ushort NLM_F_REQUEST = 0x1;
    public const ushort NLM_F_ACK = 0x4;
    public const ushort NLM_F_ECHO = 0x8;
    public const ushort NLM_F_DUMP_INTR = 0x10;
    public const ushort NLM_F_DUMP = 0x300;
    public const ushort NLM_F_EXCL = 0x200;
    public const ushort NLM_F_CREATE = 0x400;
    private const ushort NLM_F_ACK_TLVS = 0x200;
    private const int NLMSGERR_ATTR_MSG = 1;

    private NetlinkMessage(ReadOnlySpan<byte> bytes)
    {
        Type = BinaryPrimitives.ReadUInt16LittleEndian(bytes[4..]);
        Flags = BinaryPrimitives.ReadUInt16LittleEndian(bytes[6..]);
        Sequence = BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
        Payload = bytes[HeaderSize..];
    }

    public ushort Type { get; }

    public ushort Flags { get; }

    public uint Sequence { get; }

    public ReadOnlySpan<byte> Payload { get; }

    public static int Align(int length) => (length + 3) & ~3;

    /// <summary>Takes the next message off the datagram; false at its end.</summary>
    public static bool TryTake(ref ReadOnlySpan<byte> datagram, out NetlinkMessage message)
    {
        message = default;
        if (datagram.IsEmpty)
            return false;
        if (datagram.Length < HeaderSize)
            ThrowMalformed("a header is cut off");
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(datagram);
        if (length < HeaderSize || length > (uint)datagram.Length)
            ThrowMalformed($"a message of {length} bytes in {datagram.Length}");
        message = new(datagram[..(int)length]);
        datagram = datagram[Math.Min(Align((int)length), datagram.Length)..];
        return true;
    }

    public static void WriteHeader(Span<byte> message, ushort type, ushort flags, uint sequence)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(message, (uint)message.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(message[4..], type);
        BinaryPrimitives.WriteUInt16LittleEndian(message[6..], flags);
        BinaryPrimitives.WriteUInt32LittleEndian(message[8..], sequence);
        BinaryPrimitives.WriteUInt32LittleEndian(message[12..], 0);
    }

    public static void WriteAttribute(Span<byte> destination, int type, ReadOnlySpan<byte> value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(destination, (ushort)(NetlinkAttributes.HeaderSize + value.Length));
        BinaryPrimitives.WriteUInt16LittleEndian(destination[2..], (ushort)type);
        value.CopyTo(destination[NetlinkAttributes.HeaderSize..]);
    }

    public static void WriteAttribute(Span<byte> destination, int type, uint value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        WriteAttribute(destination, type, bytes);
    }

    [DoesNotReturn]
    public static void ThrowMalformed(string detail) => throw new LinuxException("read a netlink message", Errno.EBADMSG, detail);

    /// <summary>What follows a fixed header of the payload.</summary>
    public ReadOnlySpan<byte> PayloadFrom(int offset)
    {
        if (Payload.Length < offset)
            ThrowMalformed($"message type {Type} of {Payload.Length} bytes");
        return Payload[offset..];
    }

    /// <summary>Of an NLMSG_ERROR or an NLMSG_DONE: both begin with a negative error number, or 0.</summary>
    public Errno ReadErrno()
    {
        if (Payload.Length < sizeof(int))
            ThrowMalformed($"message type {Type} without a status");
        return (Errno)(-BinaryPrimitives.ReadInt32LittleEndian(Payload));
    }

    /// <summary>What the kernel says about an NLMSG_ERROR or an NLMSG_DONE in words, if it does.</summary>
    public string? ReadErrorText()
    {
        // In an error the header of the request follows the number, alone because of NETLINK_CAP_ACK.
        if ((Flags & NLM_F_ACK_TLVS) == 0)
            return null;
        NetlinkAttributes attributes = new(PayloadFrom(sizeof(int) + (Type == NLMSG_ERROR ? HeaderSize : 0)));
        while (attributes.Next())
        {
            if (attributes.Type == NLMSGERR_ATTR_MSG)
                return attributes.ReadText();
        }

        return null;
    }
}
