// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace EbpfLb.Linux.Files;

/// <summary>Opening, locking and asking about files.</summary>
internal static unsafe partial class FileSyscalls
{
    private const int O_CLOEXEC = 0x80000;
    private const int LOCK_EX = 2;
    private const int LOCK_NB = 4;
    private const int LOCK_UN = 8;
    private const int AT_EMPTY_PATH = 0x1000;
    private const uint STATX_BASIC_STATS = 0x7ff;
    private const uint MFD_CLOEXEC = 1;
    private const uint MFD_ALLOW_SEALING = 2;
    private const int F_ADD_SEALS = 1033;
    private const int F_SEAL_ALL = 0xf;

    // These two are where arm64 differs from the generic numbers.
    private static readonly bool IsArm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
    private static readonly int ODirectory = IsArm ? 0x4000 : 0x10000;
    private static readonly int ONoFollow = IsArm ? 0x8000 : 0x20000;

    public static Errno OpenDirectory(string path, bool followLink, out SafeFileHandle? handle)
    {
        int flags = ODirectory | O_CLOEXEC | (followLink ? 0 : ONoFollow);
        while (true)
        {
            int descriptor = open(path, flags);
            if (descriptor >= 0)
            {
                handle = new SafeFileHandle(descriptor, ownsHandle: true);
                return Errno.None;
            }

            handle = null;
            Errno errno = (Errno)Marshal.GetLastPInvokeError();
            if (errno != Errno.EINTR)
                return errno;
        }
    }

    public static void Unlock(SafeFileHandle handle) => _ = flock(handle, LOCK_UN);

    /// <summary>EAGAIN when another open file holds it.</summary>
    public static Errno LockExclusive(SafeFileHandle handle)
    {
        while (true)
        {
            Errno errno = flock(handle, LOCK_EX | LOCK_NB) == 0 ? Errno.None : (Errno)Marshal.GetLastPInvokeError();
            if (errno != Errno.EINTR)
                return errno;
        }
    }

    public static Errno Status(SafeFileHandle handle, out FileStatus status)
    {
        StatxBuffer buffer = default;
        if (statx(handle, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &buffer) != 0)
        {
            status = default;
            return (Errno)Marshal.GetLastPInvokeError();
        }

        status = new(
            buffer.Uid,
            buffer.Gid,
            (UnixFileMode)(buffer.Mode & 0xfff),
            buffer.Inode,
            buffer.DeviceMajor,
            buffer.DeviceMinor);
        return Errno.None;
    }

    public static Errno FileSystemMagic(SafeFileHandle handle, out uint magic)
    {
        StatfsBuffer buffer = default;
        while (fstatfs(handle, &buffer) != 0)
        {
            Errno errno = (Errno)Marshal.GetLastPInvokeError();
            if (errno == Errno.EINTR)
                continue;
            magic = 0;
            return errno;
        }

        magic = (uint)buffer.Type;
        return Errno.None;
    }

    public static Errno CreateMemoryFile(string name, out SafeFileHandle? handle)
    {
        int descriptor = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
        handle = descriptor < 0 ? null : new SafeFileHandle(descriptor, ownsHandle: true);
        return descriptor < 0 ? (Errno)Marshal.GetLastPInvokeError() : Errno.None;
    }

    /// <summary>Neither content nor size nor seals change from here on.</summary>
    public static Errno Seal(SafeFileHandle handle)
        => fcntl(handle, F_ADD_SEALS, F_SEAL_ALL) == 0 ? Errno.None : (Errno)Marshal.GetLastPInvokeError();

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int flock(SafeFileHandle fd, int operation);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(SafeFileHandle dirfd, string path, int flags, uint mask, StatxBuffer* buffer);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fstatfs(SafeFileHandle fd, StatfsBuffer* buffer);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int memfd_create(string name, uint flags);

    // Variadic in C; see the note at bpf(2).
    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(SafeFileHandle fd, int command, int argument);

    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct StatxBuffer
    {
        [FieldOffset(20)] public uint Uid;
        [FieldOffset(24)] public uint Gid;
        [FieldOffset(28)] public ushort Mode;
        [FieldOffset(32)] public ulong Inode;
        [FieldOffset(136)] public uint DeviceMajor;
        [FieldOffset(140)] public uint DeviceMinor;
    }

    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct StatfsBuffer
    {
        [FieldOffset(0)] public long Type;
    }
}
