// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers;
using Microsoft.Win32.SafeHandles;

namespace EbpfLb.Linux.Netlink;

/// <summary>A socket to the kernel of the network namespace the opening thread is in. One request at a time.</summary>
internal sealed class NetlinkSocket : IDisposable
{
    public const int NETLINK_ROUTE = 0;
    public const int NETLINK_SOCK_DIAG = 4;
    public const int NETLINK_NETFILTER = 12;
    public const int NETLINK_GENERIC = 16;

    // The kernel fills datagrams of a dump up to 32 KiB, and goes beyond for one message that is longer.
    public const int BufferSize = 128 * 1024;

    private byte[]? _buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
    private uint _sequence;

    private NetlinkSocket(SafeFileHandle handle)
    {
        Handle = handle;
    }

    public delegate void Visitor(in NetlinkMessage message);

    public SafeFileHandle Handle { get; }

    public static NetlinkSocket Open(int protocol) => new(NetlinkSyscalls.Open(protocol, groups: 0, nonBlocking: false));

    /// <summary>False when what is listed changed meanwhile: what the visitor saw may be torn.</summary>
    public bool Dump(string attempt, ushort type, Span<byte> request, Visitor visitor)
    {
        uint sequence = Send(request, type, NetlinkMessage.NLM_F_REQUEST | NetlinkMessage.NLM_F_DUMP);
        bool whole = true;
        while (true)
        {
            ReadOnlySpan<byte> datagram = Receive();
            while (NetlinkMessage.TryTake(ref datagram, out NetlinkMessage message))
            {
                if (message.Sequence != sequence)
                    continue;
                whole &= (message.Flags & NetlinkMessage.NLM_F_DUMP_INTR) == 0;
                if (message.Type is NetlinkMessage.NLMSG_DONE or NetlinkMessage.NLMSG_ERROR)
                {
                    Errno errno = message.ReadErrno();
                    if (errno == Errno.None)
                        return whole;
                    throw new LinuxException(attempt, errno, message.ReadErrorText());
                }

                if (message.Type == NetlinkMessage.NLMSG_OVERRUN)
                    throw new LinuxException(attempt, Errno.ENOBUFS);
                if (message.Type != NetlinkMessage.NLMSG_NOOP)
                    visitor(in message);
            }
        }
    }

    /// <summary>A request with one answer, or none, and an acknowledgement.</summary>
    /// <param name="flags">NLM_F_* of this type of request.</param>
    public Errno Ask(ushort type, Span<byte> request, out string? detail, Visitor visitor, int flags = 0)
    {
        uint sequence = Send(request, type, NetlinkMessage.NLM_F_REQUEST | NetlinkMessage.NLM_F_ACK | flags);
        while (true)
        {
            ReadOnlySpan<byte> datagram = Receive();
            while (NetlinkMessage.TryTake(ref datagram, out NetlinkMessage message))
            {
                if (message.Sequence != sequence)
                    continue;
                if (message.Type == NetlinkMessage.NLMSG_ERROR)
                {
                    detail = message.ReadErrorText();
                    return message.ReadErrno();
                }

                visitor(in message);
            }
        }
    }

    public void Dispose()
    {
        Handle.Dispose();
        if (_buffer is { } buffer)
            ArrayPool<byte>.Shared.Return(buffer);
        _buffer = null;
    }

    private uint Send(Span<byte> request, ushort type, int flags)
    {
        // What is left of a request that ended in an exception carries an older number.
        NetlinkMessage.WriteHeader(request, type, (ushort)flags, ++_sequence);
        Errno errno = NetlinkSyscalls.Send(Handle, request);
        return errno == Errno.None ? _sequence : throw new LinuxException("send a netlink request", errno);
    }

    private ReadOnlySpan<byte> Receive()
    {
        ObjectDisposedException.ThrowIf(_buffer is null, this);
        Errno errno = NetlinkSyscalls.Receive(Handle, _buffer, out int length);
        return errno == Errno.None ? _buffer.AsSpan(0, length) : throw new LinuxException("receive a netlink answer", errno);
    }
}
