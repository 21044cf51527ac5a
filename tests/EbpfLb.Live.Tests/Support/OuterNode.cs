// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Live.Tests.Support;

/// <summary>A playground with a server in every pod and an agent in node n1 itself, for its devices; another in n2 when asked.</summary>
public class OuterNode : IAsyncLifetime, IAsyncDisposable
{
    internal const string FirstV4 = "10.10.0.1";
    internal const string FirstV6 = "fd00:10:10::1";
    internal const string SecondV4 = "10.10.0.2";
    internal const string SecondV6 = "fd00:10:10::2";

    private readonly string[] _options;
    private readonly List<IAsyncDisposable> _processes = [];
    private readonly SemaphoreSlim _changes = new(1);
    private Playground? _playground;
    private LiveAgent? _agent;
    private LiveAgent? _second;
    private PassProgram? _pass;
    private int _services;

    public OuterNode()
        : this([])
    {
    }

    /// <param name="options">Of the agents.</param>
    protected OuterNode(params string[] options)
    {
        _options = options;
    }

    internal Playground Playground => _playground ?? throw new InvalidOperationException("not started");

    internal LiveAgent Agent => _agent ?? throw new InvalidOperationException("not started");

    internal LiveAgent SecondAgent => _second ?? throw new InvalidOperationException("there is no agent on n2");

    internal ManifestFiles Manifests => Agent.Manifests;

    internal Client Outside => Playground.Outside;

    internal Client Distant => Playground.Distant;

    /// <summary>As the node's own pods see it.</summary>
    internal Client Host => Playground.Host;

    /// <summary>As other nodes see it.</summary>
    internal Client HostOnFabric => Host with { V4 = FirstV4, V6 = FirstV6 };

    internal Client SecondHost => Playground.SecondHost;

    internal Client P11 => Playground["p11"];

    internal Client P12 => Playground["p12"];

    internal Client P13 => Playground["p13"];

    internal Client P21 => Playground["p21"];

    internal Client P22 => Playground["p22"];

    internal static bool[] Families { get; } = [false, true];

    internal static async Task<OuterNode> CreateAsync(params string[] options)
    {
        var node = new OuterNode(options);
        await node.InitializeAsync();
        return node;
    }

    /// <summary>The agent is not started.</summary>
    internal static async Task<OuterNode> PrepareAsync(params string[] options)
    {
        var node = new OuterNode(options);
        await node.UpAsync();
        return node;
    }

    public async Task InitializeAsync()
    {
        // A fixture is also made for tests that will be skipped.
        if (!Environment.IsPrivilegedProcess)
            return;

        await UpAsync();
        try
        {
            await BeforeStartAsync();
            await Agent.StartAsync();
        }
        catch
        {
            await DisposeAsync();
            throw;
        }
    }

    internal OuterService NewService(string spec = "") => new(this, Interlocked.Increment(ref _services)) { Spec = spec };

    /// <summary>Makes a change that alters some service, and waits until the maps of every agent have it.</summary>
    internal async Task SyncAsync(Action change)
    {
        // One at a time, so that the next word of an agent is about this one.
        await _changes.WaitAsync();
        try
        {
            await (_second is null ? Agent.SyncAsync(change) : Task.WhenAll(SecondAgent.SyncAsync(() => { }), Agent.SyncAsync(change)));
        }
        finally
        {
            _changes.Release();
        }
    }

    internal async Task StartSecondAgentAsync()
    {
        _second = new LiveAgent(Playground.BpfFsOfSecondNode, Playground.CgroupOfSecondNode, Manifests, _options)
        {
            NodeName = "n2",
            NetworkNamespace = SecondHost.NetworkNamespace,
        };
        await _second.StartAsync();
    }

    /// <summary>
    /// Lets XDP see whole packets and send them back: checksums are computed by senders, and the fabric's ends take frames from XDP.
    /// </summary>
    internal async Task MakeReadyForXdpAsync()
    {
        foreach (string device in new[] { "n1", "n2" })
            await Outside.OffloadAsync(device, on: false);
        _pass = PassProgram.LoadXdp(Path.Combine(Playground.BpfFs, "pass"));
        foreach (string device in new[] { "n1", "n2" })
            await Outside.IpAsync($"link set dev {device} xdp pinned {_pass.Pin}");
    }

    /// <summary>Kernels send one ICMP error a second to a host; tests want all of them.</summary>
    internal async Task LiftErrorLimitsAsync()
    {
        foreach (var place in new[] { Outside, Host, SecondHost })
        {
            await place.WriteAsync("/proc/sys/net/ipv4/icmp_ratelimit", "0");
            await place.WriteAsync("/proc/sys/net/ipv6/icmp/ratelimit", "0");
        }
    }

    internal void Keep(IAsyncDisposable process) => _processes.Add(process);

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        _changes.Dispose();
        if (_second is not null)
            await _second.DisposeAsync();
        if (_agent is not null)
            await _agent.DisposeAsync();
        foreach (var process in _processes)
            await process.DisposeAsync();
        _processes.Clear();
        _pass?.Dispose();
        if (_playground is not null)
            await _playground.DisposeAsync();
        _playground = null;
    }

    private protected virtual Task<LiveAgent> CreateAgentAsync(IReadOnlyList<string> options) => Task.FromResult(
        new LiveAgent(
            Playground.BpfFs, Playground.Cgroup, new ManifestFiles(Path.Combine(Playground.Directory, "manifests")), options)
        {
            NetworkNamespace = Host.NetworkNamespace,
        });

    /// <summary>For what must be there before the agent.</summary>
    protected virtual Task BeforeStartAsync() => Task.CompletedTask;

    private async Task UpAsync()
    {
        try
        {
            _playground = await Playground.UpAsync();
            // Load balancer addresses and external IPs: routers lead them to a node.
            await Outside.IpAsync($"route add 203.0.113.0/24 via {FirstV4} src {Outside.V4}");
            await Outside.IpAsync($"route add 2001:db8:113::/64 via {FirstV6} src {Outside.V6}");
            foreach (var pod in _playground.AllPods)
                _processes.Add(await pod.ServeAsync(LiveNode.ServerPorts));
            _agent = await CreateAgentAsync(_options);
        }
        catch
        {
            await DisposeAsync();
            throw;
        }
    }
}

/// <summary>Packets from outside are served by XDP, as far as they go.</summary>
public sealed class XdpNode : OuterNode
{
    protected override Task BeforeStartAsync() => MakeReadyForXdpAsync();
}

/// <summary>Without XDP.</summary>
public sealed class TcNode() : OuterNode("--xdp", "off");
