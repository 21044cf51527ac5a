// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux;
using EbpfLb.Linux.Cgroups;
using EbpfLb.Linux.Files;

namespace EbpfLb.Datapath.Loading;

/// <summary>Finds the BPF file system and the cgroup2 hierarchy through /proc/self/mounts, wherever a distribution put them.</summary>
internal static class BpfFileSystems
{
    private const string DefaultMount = "/sys/fs/bpf";

    public static string Resolve(string? bpffs, bool mayMount)
    {
        if (bpffs is null)
            return Find(mayMount);

        try
        {
            using var directory = DirectoryHandle.Open(bpffs, followLink: true);
            if (BpfFileSystem.Contains(directory))
                return bpffs;
        }
        catch (LinuxException exception)
        {
            throw new DatapathException($"--bpffs {bpffs} cannot be opened: {exception.Message}", exception);
        }

        throw new DatapathException($"--bpffs {bpffs} is not on a BPF file system. Mount one there: mount -t bpf bpf {bpffs}");
    }

    public static CgroupDirectory OpenCgroup(string? cgroup)
    {
        string path = cgroup ?? Mounts.FindAll("cgroup2").Select(mount => mount.MountPoint).FirstOrDefault()
            ?? throw new DatapathException(
                "No cgroup2 hierarchy is mounted (/proc/self/mounts has no entry of type cgroup2), so sockets cannot be balanced. "
                + "Mount it (mount -t cgroup2 none /sys/fs/cgroup/unified), or name one with --cgroup.");
        try
        {
            return CgroupDirectory.Open(path);
        }
        catch (LinuxException exception)
        {
            throw new DatapathException(
                $"{(cgroup is null ? "The cgroup2 mount" : "--cgroup")} {path} cannot be used: {exception.Message}. It must be a directory "
                + "of the cgroup2 hierarchy.", exception);
        }
    }

    private static string Find(bool mayMount)
    {
        var mounts = Mounts.FindAll("bpf");
        if (mounts.Any(mount => mount.MountPoint == DefaultMount))
            return DefaultMount;

        if (mounts.Count == 1)
            return mounts[0].MountPoint;

        if (mounts.Count > 1)
        {
            throw new DatapathException(
                $"Several BPF file systems are mounted, and none at {DefaultMount}: {string.Join(", ", mounts.Select(mount => mount.MountPoint))}. "
                + "Name the one to use with --bpffs.");
        }

        // In a container the mount would die with it, and every pin with the mount.
        const string Remedy = $"Mount one on the host: mount -t bpf bpf {DefaultMount} (in a pod: mount the host's {DefaultMount} into it), "
            + "or name one with --bpffs. Started through 'ip netns exec'? It hides the host's; use nsenter --net instead.";
        if (!mayMount)
            throw new DatapathException($"No BPF file system is mounted ({DefaultMount} is where one belongs). {Remedy}");

        if (!IsInMountNamespaceOfInit())
            throw new DatapathException($"No BPF file system is mounted in this mount namespace. {Remedy}");

        try
        {
            Mounts.MountBpf(DefaultMount);
            return DefaultMount;
        }
        catch (LinuxException exception)
        {
            throw new DatapathException($"No BPF file system is mounted, and mounting one failed: {exception.Message}. {Remedy}", exception);
        }
    }

    // Who may not look at process 1 does not know, and a mount that only this process sees would be worse than none.
    private static bool IsInMountNamespaceOfInit()
    {
        try
        {
            return File.ResolveLinkTarget("/proc/self/ns/mnt", false)?.Name == File.ResolveLinkTarget("/proc/1/ns/mnt", false)?.Name;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
