// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using EbpfLb.Linux.Files;

namespace EbpfLb.Live.Tests.Support;

/// <summary>A memory cgroup with a limit, of whichever version has the controller.</summary>
internal sealed class MemoryCgroup : IDisposable
{
    private const string FirstVersion = "/sys/fs/cgroup/memory";

    private readonly string _path;
    private readonly bool _isFirstVersion = File.Exists(Path.Combine(FirstVersion, "memory.limit_in_bytes"));

    public MemoryCgroup(long limit)
    {
        string root = _isFirstVersion ? FirstVersion : Mounts.FindAll("cgroup2")[0].MountPoint;
        _path = Path.Combine(root, $"ebpflb-{Guid.NewGuid():n}");
        if (!_isFirstVersion)
            File.WriteAllText(Path.Combine(root, "cgroup.subtree_control"), "+memory");
        Directory.CreateDirectory(_path);
        string bytes = limit.ToString(CultureInfo.InvariantCulture);
        File.WriteAllText(Path.Combine(_path, _isFirstVersion ? "memory.limit_in_bytes" : "memory.max"), bytes);
    }

    /// <summary>Takes the ids of processes.</summary>
    public string ProcessFile => Path.Combine(_path, "cgroup.procs");

    /// <summary>Processes that the kernel ended for the limit.</summary>
    public int Kills => File.ReadLines(Path.Combine(_path, _isFirstVersion ? "memory.oom_control" : "memory.events"))
        .Select(line => line.Split(' '))
        .Where(words => words[0] == "oom_kill")
        .Sum(words => int.Parse(words[1], CultureInfo.InvariantCulture));

    public void Dispose()
    {
        // The last process may be on its way out.
        for (int i = 0; ; i++)
        {
            try
            {
                Directory.Delete(_path);
                return;
            }
            catch (IOException) when (i < 100)
            {
                Thread.Sleep(20);
            }
        }
    }
}
