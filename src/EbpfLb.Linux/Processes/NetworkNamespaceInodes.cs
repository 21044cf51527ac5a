// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using EbpfLb.Linux.Files;
using Microsoft.Win32.SafeHandles;

namespace EbpfLb.Linux.Processes;

/// <summary>
/// Network namespaces by the inode number that /proc shows and programs see, net:[4026531840]. The number is used again when its namespace
/// has gone.
/// </summary>
public static class NetworkNamespaceInodes
{
    private const string Prefix = "net:[";

    /// <summary>Of the calling thread's namespace.</summary>
    public static uint Current() => Parse(new FileInfo("/proc/thread-self/ns/net").LinkTarget)
        ?? throw new LinuxException("read the inode of the network namespace", Errno.ENOENT);

    /// <summary>
    /// Paths for <see cref="NetworkNamespace.Open"/>: those of mounts, as container runtimes and ip(8) make them, and of processes. Only
    /// what this process may see: other users' processes take CAP_SYS_PTRACE, those of other containers the host's process namespace.
    /// </summary>
    public static IReadOnlyDictionary<uint, string> Find(IReadOnlySet<uint> inodes)
    {
        ArgumentNullException.ThrowIfNull(inodes);
        Dictionary<uint, string> found = [];
        foreach ((string path, uint? inode) in Mounted().Concat(OfProcesses()))
        {
            if (found.Count == inodes.Count)
                break;
            if (inode is { } number && inodes.Contains(number))
                found.TryAdd(number, path);
        }

        return found;
    }

    private static IEnumerable<(string Path, uint? Inode)> Mounted()
        => Mounts.FindAll("nsfs").Select(mount => (mount.MountPoint, InodeOf(mount.MountPoint)));

    private static IEnumerable<(string Path, uint? Inode)> OfProcesses()
    {
        foreach (string directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!char.IsAsciiDigit(Path.GetFileName(directory)[0]))
                continue;
            string path = Path.Combine(directory, "ns/net");
            yield return (path, Parse(new FileInfo(path).LinkTarget));
        }
    }

    // A mount may have gone, or be covered by another. Inodes of all kinds of namespaces are numbered together.
    private static uint? InodeOf(string path)
    {
        try
        {
            using SafeFileHandle handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            return FileSyscalls.Status(handle, out FileStatus status) == Errno.None ? (uint)status.Inode : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static uint? Parse(string? link)
        => link is not null
            && link.StartsWith(Prefix, StringComparison.Ordinal)
            && uint.TryParse(link.AsSpan(Prefix.Length).TrimEnd(']'), NumberStyles.None, CultureInfo.InvariantCulture, out uint inode)
            ? inode
            : null;
}
