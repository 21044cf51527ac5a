// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace EbpfLb.Linux.Netlink;

/// <summary>Sockets of AF_NETLINK.</summary>
internal static unsafe partial class NetlinkSyscalls
{
    private const int AF_NETLINK = 16;
    private const int SOCK_RAW = 3;
    private const int SOCK_CLOEXEC = 0x80000;
    private const int SOCK_NONBLOCK = 0x800;
    private const int MSG_TRUNC = 0x20;
    private const int SOL_SOCKET = 1;
    private const int SO_RCVBUF = 8;
    private const int SO_RCVBUFFORCE = 33;
    private const int SOL_NETLINK = 270;
    private const int NETLINK_CAP_ACK = 10;
    private const int NETLINK_EXT_ACK = 11;
    private const int NETLINK_GET_STRICT_CHK = 12;

    public static SafeFileHandle Open(int protocol, uint groups, bool nonBlocking)
    {
        int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | (nonBlocking ? SOCK_NONBLOCK : 0), protocol);
        if (descriptor < 0)
            throw new LinuxException($"open a netlink socket (protocol {protocol})", (Errno)Marshal.GetLastPInvokeError());
        SafeFileHandle handle = new(descriptor, ownsHandle: true);
        try
        {
            // Strictly checked, a dump gives what its header asks for: without that, cached exceptions of routes too.
            SetOption(handle, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
            SetOption(handle, SOL_NETLINK, NETLINK_CAP_ACK, 1);
            SetOption(handle, SOL_NETLINK, NETLINK_EXT_ACK, 1);
            Address address = new() { Family = AF_NETLINK, Groups = groups };
            if (bind(handle, &address, (uint)sizeof(Address)) != 0)
                throw new LinuxException($"bind a netlink socket (groups {groups:x})", (Errno)Marshal.GetLastPInvokeError());
            return handle;
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Beyond net.core.rmem_max where CAP_NET_ADMIN allows it, up to it otherwise.</summary>
    public static void SetReceiveBuffer(SafeFileHandle handle, int bytes)
    {
        if (setsockopt(handle, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(int)) != 0)
            SetOption(handle, SOL_SOCKET, SO_RCVBUF, bytes);
    }

    public static Errno Send(SafeFileHandle handle, ReadOnlySpan<byte> message)
    {
        fixed (byte* pointer = message)
        {
            while (true)
            {
                if (send(handle, pointer, (nuint)message.Length, 0) >= 0)
                    return Errno.None;
                Errno errno = (Errno)Marshal.GetLastPInvokeError();
                if (errno != Errno.EINTR)
                    return errno;
            }
        }
    }

    /// <summary>One datagram of the kernel. EMSGSIZE when it is longer than the buffer; it is lost then.</summary>
    public static Errno Receive(SafeFileHandle handle, Span<byte> buffer, out int length)
    {
        fixed (byte* pointer = buffer)
        {
            while (true)
            {
                Address sender = default;
                uint senderLength = (uint)sizeof(Address);
                nint received = recvfrom(handle, pointer, (nuint)buffer.Length, MSG_TRUNC, &sender, &senderLength);
                length = (int)received;
                if (received < 0)
                {
                    Errno errno = (Errno)Marshal.GetLastPInvokeError();
                    if (errno != Errno.EINTR)
                        return errno;
                }
                else if (sender.Port == 0)
                {
                    // Other processes may send to a netlink port; the kernel's own is 0.
                    return received > buffer.Length ? Errno.EMSGSIZE : Errno.None;
                }
            }
        }
    }

    private static void SetOption(SafeFileHandle handle, int level, int option, int value)
    {
        if (setsockopt(handle, level, option, &value, sizeof(int)) != 0)
            throw new LinuxException($"set option {option} of a netlink socket", (Errno)Marshal.GetLastPInvokeError());
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socket(int domain, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int bind(SafeFileHandle fd, Address* address, uint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setsockopt(SafeFileHandle fd, int level, int option, void* value, uint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint send(SafeFileHandle fd, void* buffer, nuint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recvfrom(SafeFileHandle fd, void* buffer, nuint length, int flags, Address* address, uint* addressLength);

    /// <summary>struct sockaddr_nl.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 12)]
    private struct Address
    {
        [FieldOffset(0)] public ushort Family;
        [FieldOffset(4)] public uint Port;
        [FieldOffset(8)] public uint Groups;
    }
}
