// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace EbpfLb.Linux.Files;

/// <summary>An open directory: what is asked of it is asked of the same object, whatever happens to its path.</summary>
public sealed class DirectoryHandle : IDisposable
{
    private bool _isLocked;

    private DirectoryHandle(string path, SafeFileHandle handle)
    {
        Path = path;
        Handle = handle;
    }

    public string Path { get; }

    internal SafeFileHandle Handle { get; }

    /// <summary>A last component that is a symbolic link is ENOTDIR or ELOOP, unless it is to be followed.</summary>
    public static DirectoryHandle Open(string path, bool followLink = false)
    {
        Errno errno = FileSyscalls.OpenDirectory(path, followLink, out SafeFileHandle? handle);
        return handle is null ? throw new LinuxException($"open directory {path}", errno) : new DirectoryHandle(path, handle);
    }

    /// <summary>False when there is nothing; anything else that fails is an exception.</summary>
    public static bool TryOpen(string path, [NotNullWhen(true)] out DirectoryHandle? directory)
    {
        Errno errno = FileSyscalls.OpenDirectory(path, followLink: false, out SafeFileHandle? handle);
        if (handle is null && errno != Errno.ENOENT)
            throw new LinuxException($"open directory {path}", errno);
        directory = handle is null ? null : new DirectoryHandle(path, handle);
        return directory is not null;
    }

    public FileStatus Stat()
    {
        Errno errno = FileSyscalls.Status(Handle, out FileStatus status);
        return errno == Errno.None ? status : throw new LinuxException($"read the status of directory {Path}", errno);
    }

    /// <summary>The magic number of the file system the directory is on.</summary>
    public uint FileSystemMagic()
    {
        Errno errno = FileSyscalls.FileSystemMagic(Handle, out uint magic);
        return errno == Errno.None ? magic : throw new LinuxException($"read the file system of {Path}", errno);
    }

    /// <summary>
    /// flock(2), not waiting. False when another process, or another handle of this one, has it. The kernel frees it with this handle,
    /// and so with the process: there is nothing stale to clean up.
    /// </summary>
    public bool TryLockExclusive()
    {
        Errno errno = FileSyscalls.LockExclusive(Handle);
        _isLocked |= errno == Errno.None;
        if (errno is Errno.None or Errno.EAGAIN)
            return errno == Errno.None;
        throw new LinuxException($"lock directory {Path}", errno);
    }

    /// <summary>The process that locked the directory; null when nobody did, or somebody outside of this PID namespace.</summary>
    public int? FindLockHolder()
    {
        // The kernel writes the device in hexadecimal, two digits at least, the inode in decimal.
        FileStatus status = Stat();
        string file = string.Create(CultureInfo.InvariantCulture, $"{status.DeviceMajor:x2}:{status.DeviceMinor:x2}:{status.Inode}");
        return FindLockHolder(File.ReadLines("/proc/locks"), file);
    }

    public void Dispose()
    {
        // Said aloud: a child of this process that has not reached its exec yet holds a copy of the descriptor, and with it the lock.
        if (_isLocked && !Handle.IsClosed)
            FileSyscalls.Unlock(Handle);
        Handle.Dispose();
    }

    internal static int? FindLockHolder(IEnumerable<string> locks, string file)
    {
        // "1: FLOCK  ADVISORY  WRITE 5524 00:27:1 0 EOF"; those that wait for it carry "->" as a field of its own.
        foreach (string line in locks)
        {
            string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length >= 6 && fields[1] == "FLOCK" && fields[5] == file
                && int.TryParse(fields[4], NumberStyles.None, CultureInfo.InvariantCulture, out int pid) && pid > 0)
                return pid;
        }

        return null;
    }
}
