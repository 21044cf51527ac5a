// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux.Cgroups;
using EbpfLb.Linux.Files;

namespace EbpfLb.TestSupport;

/// <summary>A cgroup of the test's own, so that nothing is ever attached to one that others live in.</summary>
internal sealed class ChildCgroup : IDisposable
{
    public ChildCgroup()
    {
        Path = System.IO.Path.Combine(Mounts.FindAll("cgroup2")[0].MountPoint, $"ebpflb-{Guid.NewGuid():n}");
        System.IO.Directory.CreateDirectory(Path);
        Directory = CgroupDirectory.Open(Path);
    }

    public string Path { get; }

    public CgroupDirectory Directory { get; }

    public void Dispose()
    {
        Directory.Dispose();
        System.IO.Directory.Delete(Path);
    }
}
