// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Live.Tests.Support;

/// <summary>A playground with a server in every pod, and an agent that serves node n1.</summary>
public sealed class LiveNode : IAsyncLifetime, IAsyncDisposable
{
    private readonly List<LineProcess> _servers = [];
    private Playground? _playground;
    private LiveAgent? _agent;
    private int _services;

    /// <summary>Every server listens on these, TCP and UDP.</summary>
    internal static IReadOnlyList<int> ServerPorts { get; } = [LiveService.TargetPort, 8081, 8082];

    internal Playground Playground => _playground ?? throw new InvalidOperationException("not started");

    internal LiveAgent Agent => _agent ?? throw new InvalidOperationException("not started");

    internal Client Host => Playground.Host;

    internal Client P11 => Playground["p11"];

    internal Client P12 => Playground["p12"];

    internal Client P13 => Playground["p13"];

    internal Client P21 => Playground["p21"];

    internal Client P22 => Playground["p22"];

    /// <summary>A pod and the host: what every scenario has to hold for.</summary>
    internal IReadOnlyList<Client> Clients => [P12, Host];

    internal static IReadOnlyList<DialFamily> Families { get; } = [DialFamily.V4, DialFamily.V6, DialFamily.Mapped];

    public Task InitializeAsync() => StartAsync();

    internal static async Task<LiveNode> CreateAsync(params IReadOnlyList<string> agentOptions)
    {
        var node = new LiveNode();
        await node.StartAsync(agentOptions);
        return node;
    }

    internal LiveService NewService(string spec = "", string algorithm = "") =>
        new(Agent, Interlocked.Increment(ref _services)) { Spec = spec, Algorithm = algorithm };

    /// <summary>Calls the test with every client and family.</summary>
    internal async Task FromEverywhereAsync(Func<Client, DialFamily, Task> test)
    {
        foreach (var client in Clients)
        {
            foreach (var family in Families)
                await test(client, family);
        }
    }

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        if (_agent is not null)
            await _agent.DisposeAsync();
        foreach (var server in _servers)
            await server.DisposeAsync();
        _servers.Clear();
        if (_playground is not null)
            await _playground.DisposeAsync();
        _playground = null;
    }

    private async Task StartAsync(params IReadOnlyList<string> agentOptions)
    {
        // A fixture is also made for tests that will be skipped.
        if (!Environment.IsPrivilegedProcess)
            return;

        try
        {
            _playground = await Playground.UpAsync();
            foreach (var pod in _playground.AllPods)
                _servers.Add(await pod.ServeAsync(ServerPorts));
            _agent = new LiveAgent(
                _playground.BpfFs, _playground.Cgroup, new ManifestFiles(Path.Combine(_playground.Directory, "manifests")), agentOptions);
            await _agent.StartAsync();
        }
        catch
        {
            await DisposeAsync();
            throw;
        }
    }
}
