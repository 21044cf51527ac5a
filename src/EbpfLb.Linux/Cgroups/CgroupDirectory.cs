// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux.Files;

namespace EbpfLb.Linux.Cgroups;

/// <summary>An open cgroup of the second version.</summary>
public sealed class CgroupDirectory : IDisposable
{
    private const uint CGROUP2_SUPER_MAGIC = 0x63677270;

    private CgroupDirectory(DirectoryHandle directory)
    {
        Directory = directory;
        Id = directory.Stat().Inode;
    }

    public string Path => Directory.Path;

    /// <summary>The kernel's id, as links and bpf_get_current_cgroup_id say it; on 64-bit kernels it is the inode number.</summary>
    public ulong Id { get; }

    internal DirectoryHandle Directory { get; }

    /// <summary>Follows symbolic links. EINVAL when the directory is not on a cgroup2 file system.</summary>
    public static CgroupDirectory Open(string path)
    {
        DirectoryHandle directory = DirectoryHandle.Open(path, followLink: true);
        try
        {
            if (directory.FileSystemMagic() != CGROUP2_SUPER_MAGIC)
                throw new LinuxException($"open cgroup {path}", Errno.EINVAL, "it is not on a cgroup2 file system");
            return new CgroupDirectory(directory);
        }
        catch
        {
            directory.Dispose();
            throw;
        }
    }

    public void Dispose() => Directory.Dispose();
}
