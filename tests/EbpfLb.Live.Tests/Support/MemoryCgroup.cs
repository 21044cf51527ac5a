// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;

namespace EbpfLb.Live.Tests.Support;

/// <summary>A cgroup that limits memory, of whichever version has the controller.</summary>
internal sealed class MemoryCgroup : IDisposable
{
    private const string First = "/sys/fs/cgroup/memory";
    private const string Second = "/sys/fs/cgroup";

    private readonly string _path;

    public MemoryCgroup(int megabytes)
    {
        bool isFirst = File.Exists(Path.Combine(First, "memory.limit_in_bytes"));
        _path = Path.Combine(isFirst ? First : Second, $"ebpflb-memory-{Guid.NewGuid():N}");
        Directory.CreateDirectory(_path);
        File.WriteAllText(
            Path.Combine(_path, isFirst ? "memory.limit_in_bytes" : "memory.max"),
            (megabytes * 1024L * 1024).ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Whoever writes its number here is limited, with its children.</summary>
    public string Processes => Path.Combine(_path, "cgroup.procs");

    public void Dispose() => Directory.Delete(_path);
}
