// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux;
using EbpfLb.Linux.Cgroups;
using EbpfLb.Linux.Files;

namespace EbpfLb.Datapath.Inspection;

/// <summary>A cgroup whose processes are served.</summary>
/// <param name="Path">Null when it cannot be seen from this mount namespace.</param>
public sealed record CgroupView(ulong Id, string? Path)
{
    internal static CgroupView Find(ulong id)
    {
        // The way down from the root is short: the agent sits at the top unless it was told otherwise.
        var queue = new Queue<string>(Mounts.FindAll("cgroup2").Select(mount => mount.MountPoint));
        while (queue.TryDequeue(out string? path))
        {
            try
            {
                using var directory = CgroupDirectory.Open(path);
                if (directory.Id == id)
                    return new CgroupView(id, path);

                foreach (string child in Directory.EnumerateDirectories(path))
                    queue.Enqueue(child);
            }
            catch (Exception exception) when (exception is LinuxException or IOException or UnauthorizedAccessException)
            {
                // Removed while we walked, or not ours to enter; the others may still have it.
            }
        }

        return new CgroupView(id, null);
    }
}
