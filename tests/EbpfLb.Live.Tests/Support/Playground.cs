// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Live.Tests.Support;

/// <summary>Two nodes, their pods and their cgroups, as tools/playground makes them, under a name of this run's own.</summary>
internal sealed class Playground : IAsyncDisposable
{
    private static readonly string[] Pods = ["p11", "p12", "p13", "p21", "p22"];

    private readonly string _run;
    private readonly Dictionary<string, string> _settings;

    private Playground(string run, Dictionary<string, string> settings)
    {
        _run = run;
        _settings = settings;
        AllPods = [.. Pods.Select(Pod)];
    }

    public string BpfFs => _settings["BPFFS"];

    /// <summary>Of the processes of the node under test.</summary>
    public string Cgroup => _settings["CGROUP_N1"];

    /// <summary>Where manifests and other files may be put.</summary>
    public string Directory => _settings["RUN_DIRECTORY"];

    public string BpfFsOfSecondNode => _settings["BPFFS_N2"];

    public string CgroupOfSecondNode => _settings["CGROUP_N2"];

    public IReadOnlyList<Client> AllPods { get; }

    /// <summary>In the namespace of the switch and router of the nodes.</summary>
    public Client Outside => new("c", "", _settings["CGROUP_OUTSIDE"], _settings["NETNS_C"], "192.0.2.10", "2001:db8::10");

    /// <summary>Behind the router.</summary>
    public Client Distant => new("d", "", _settings["CGROUP_OUTSIDE"], _settings["NETNS_D"], "198.51.100.10", "2001:db8:51::10");

    /// <summary>A process of node n2 itself.</summary>
    public Client SecondHost =>
        new("n2", "n2", CgroupOfSecondNode, _settings["NETNS_N2"], "10.244.2.1", "fd00:10:244:2::1");

    /// <summary>A process of node n1 itself, as its own pods see it.</summary>
    public Client Host => new("n1", "n1", Cgroup, _settings["NETNS_N1"], "10.244.1.1", "fd00:10:244:1::1");

    public Client this[string pod] => AllPods.Single(client => client.Name == pod);

    public static async Task<Playground> UpAsync()
    {
        string run = $"t{Guid.NewGuid():n}"[..10];
        string output = await Programs.OutputOfAsync(Programs.ClusterScript, ["up", "--id", run]);
        var settings = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('=', 2));
        return new Playground(run, settings.ToDictionary(setting => setting[0], setting => setting[1]));
    }

    public async ValueTask DisposeAsync() => await Programs.OutputOfAsync(Programs.ClusterScript, ["down", "--id", _run]);

    // pNH: number H of node N.
    private Client Pod(string name)
    {
        char node = name[1];
        return new Client(
            name, $"n{node}", _settings[$"CGROUP_N{node}"], _settings[$"NETNS_{name.ToUpperInvariant()}"], $"10.244.{node}.{name[1..]}",
            $"fd00:10:244:{node}::{name[1..]}");
    }
}
