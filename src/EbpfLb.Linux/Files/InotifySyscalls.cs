// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace EbpfLb.Linux.Files;

/// <summary>inotify.</summary>
internal static unsafe partial class InotifySyscalls
{
    public const uint IN_ATTRIB = 0x4;
    public const uint IN_CLOSE_WRITE = 0x8;
    public const uint IN_MOVED_FROM = 0x40;
    public const uint IN_MOVED_TO = 0x80;
    public const uint IN_CREATE = 0x100;
    public const uint IN_DELETE = 0x200;
    public const uint IN_DELETE_SELF = 0x400;
    public const uint IN_MOVE_SELF = 0x800;
    public const uint IN_UNMOUNT = 0x2000;
    public const uint IN_Q_OVERFLOW = 0x4000;
    public const uint IN_IGNORED = 0x8000;
    private const uint IN_ONLYDIR = 0x1000000;

    private const int IN_CLOEXEC = 0x80000;
    private const int IN_NONBLOCK = 0x800;

    private const uint Watched = IN_ATTRIB | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_DELETE_SELF
        | IN_MOVE_SELF | IN_ONLYDIR;

    public static SafeFileHandle Watch(string directory)
    {
        int descriptor = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (descriptor < 0)
            throw new LinuxException($"watch directory {directory}", (Errno)Marshal.GetLastPInvokeError(), "see fs.inotify.max_user_instances");
        SafeFileHandle handle = new(descriptor, ownsHandle: true);
        if (inotify_add_watch(handle, directory, Watched) >= 0)
            return handle;
        Errno errno = (Errno)Marshal.GetLastPInvokeError();
        handle.Dispose();
        throw new LinuxException($"watch directory {directory}", errno, errno == Errno.ENOSPC ? "see fs.inotify.max_user_watches" : null);
    }

    /// <summary>Waits until there are events, and reads them; 0 when told to stop.</summary>
    public static int Read(SafeFileHandle inotify, SafeFileHandle stop, Span<byte> buffer)
    {
        while (WaitSyscalls.UntilReadable(inotify, stop, "inotify events"))
        {
            nint count;
            fixed (byte* pointer = buffer)
                count = read(inotify, pointer, (nuint)buffer.Length);
            if (count > 0)
                return (int)count;
            Errno errno = (Errno)Marshal.GetLastPInvokeError();
            if (errno is not (Errno.EINTR or Errno.EAGAIN))
                throw new LinuxException("read inotify events", errno);
        }

        return 0;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int inotify_init1(int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int inotify_add_watch(SafeFileHandle fd, string path, uint mask);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(SafeFileHandle fd, void* buffer, nuint count);
}
