// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace EbpfLb.Linux.Processes;

/// <summary>Network namespaces of the calling thread.</summary>
internal static unsafe partial class NamespaceSyscalls
{
    private const int CLONE_NEWNET = 0x40000000;
    private const int AF_UNIX = 1;
    private const int SOCK_DGRAM = 2;
    private const int SOCK_CLOEXEC = 0x80000;
    private const int SOL_SOCKET = 1;
    private const int SO_NETNS_COOKIE = 71;

    public static void Unshare()
    {
        if (unshare(CLONE_NEWNET) != 0)
            throw new LinuxException("create a network namespace", (Errno)Marshal.GetLastPInvokeError());
    }

    public static void Enter(SafeFileHandle handle)
    {
        if (setns(handle, CLONE_NEWNET) != 0)
            throw new LinuxException("enter a network namespace", (Errno)Marshal.GetLastPInvokeError());
    }

    public static ulong Cookie()
    {
        int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (descriptor < 0)
            throw new LinuxException("open a socket", (Errno)Marshal.GetLastPInvokeError());
        using SafeFileHandle handle = new(descriptor, ownsHandle: true);
        ulong cookie = 0;
        uint length = sizeof(ulong);
        if (getsockopt(handle, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length) != 0)
            throw new LinuxException("read the cookie of the network namespace", (Errno)Marshal.GetLastPInvokeError());
        return cookie;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int unshare(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setns(SafeFileHandle fd, int type);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socket(int domain, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int getsockopt(SafeFileHandle fd, int level, int option, void* value, uint* length);
}
