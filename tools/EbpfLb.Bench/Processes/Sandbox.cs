// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;

namespace EbpfLb.Bench.Processes;

/// <summary>Namespaces, a cgroup and a BPF file system of this run's own; all of it goes with it.</summary>
internal sealed class Sandbox : IDisposable
{
    private readonly string _id;
    private readonly Dictionary<string, string> _names;

    private Sandbox(string id, Dictionary<string, string> names)
    {
        _id = id;
        _names = names;
    }

    /// <summary>Nodes are cgroups of their own: what is attached to the first is not seen by processes of the second.</summary>
    public string FirstCgroup => _names["CGROUP_N1"];

    public string SecondCgroup => _names["CGROUP_N2"];

    /// <summary>Of clients outside of both nodes.</summary>
    public string OutsideCgroup => _names["CGROUP_OUTSIDE"];

    public string NodeNamespace => _names["NETNS_N1"];

    public string ServerNamespace => _names["NETNS_P11"];

    public string ClientNamespace => _names["NETNS_P12"];

    public static string ServerAddress => "10.244.1.11";

    /// <param name="name">As the playground's picture has it: N1, P21, C.</param>
    public string Namespace(string name) => _names[$"NETNS_{name}"];

    public static Sandbox Create()
    {
        string id = $"b{Guid.NewGuid():n}"[..12];
        string described = Run("up", id);
        var names = described.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split('=', 2))
            .Where(parts => parts.Length == 2)
            .ToDictionary(parts => parts[0], parts => parts[1]);
        return new Sandbox(id, names);
    }

    /// <summary>A place for pins, apart from the others of this run.</summary>
    public string NewBpfFs(string name) => Directory.CreateDirectory(Path.Combine(_names["BPFFS"], name)).FullName;

    public void Dispose() => Run("down", _id);

    private static string Run(string verb, string id)
    {
        using var process = Process.Start(new ProcessStartInfo(BenchOptions.Playground, [verb, "--id", id])
        {
            RedirectStandardOutput = true,
        })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new BenchException($"{BenchOptions.Playground} {verb} --id {id} failed: see above");
    }
}
