// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using Microsoft.Win32.SafeHandles;

namespace EbpfLb.Linux.Files;

/// <summary>
/// A file without a path (memfd_create), complete and sealed once created. Child processes open it through <see cref="PathForChild"/> while
/// this process has it open; it is not inherited.
/// </summary>
public sealed class MemoryFile : IDisposable
{
    private readonly SafeFileHandle _handle;

    private MemoryFile(SafeFileHandle handle)
    {
        _handle = handle;
        PathForChild = $"/proc/{Environment.ProcessId}/fd/{handle.DangerousGetHandle()}";
    }

    /// <summary>For processes that see this one under the same PID.</summary>
    public string PathForChild { get; }

    /// <param name="name">Shows in /proc only.</param>
    /// <param name="content">The whole content.</param>
    public static MemoryFile Create(string name, ReadOnlySpan<byte> content)
    {
        string attempt = $"create memory file {name} ({content.Length} bytes)";
        Errno errno = FileSyscalls.CreateMemoryFile(name, out SafeFileHandle? handle);
        if (handle is null)
            throw new LinuxException(attempt, errno);
        try
        {
            RandomAccess.Write(handle, content, 0);
            errno = FileSyscalls.Seal(handle);
            return errno == Errno.None ? new MemoryFile(handle) : throw new LinuxException(attempt, errno);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    public void Dispose() => _handle.Dispose();
}
