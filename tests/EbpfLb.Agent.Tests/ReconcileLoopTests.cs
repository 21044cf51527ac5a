// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Agent.Tests.Support;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Inspection;
using EbpfLb.Datapath.Maps;
using EbpfLb.Datapath.Status;
using EbpfLb.Datapath.Sync;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.State;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Agent.Tests;

public sealed class ReconcileLoopTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly CancellationTokenSource _stop = new(Patience);
    private readonly ClusterStateWriter _state = new();
    private readonly RecordingLogger _log = new();
    private readonly List<Problem> _sourceProblems = [];
    private readonly List<Problem> _nodeProblems = [];
    private readonly DesiredState _desired = new(new DesiredStateOptions { NodeName = "node1" });
    private readonly InMemoryMaps _maps;
    private Func<MapWrite?> _fault = () => null;
    private ReconcileLoop _loop;

    public ReconcileLoopTests()
    {
        _maps = new InMemoryMaps(new Dictionary<string, uint> { [MapNames.Backends] = 4 }, () => _fault());
        _loop = CreateLoop();
        _state.RegisterSource("test");
    }

    public void Dispose() => _stop.Dispose();

    [Fact]
    public async Task Nothing_is_written_before_the_source_has_listed()
    {
        _state.Apply(Changes.Of("web", "10.96.0.10"));
        var running = _loop.RunAsync(_stop.Token);
        await Task.Delay(50, _stop.Token);
        Assert.Equal(0, _maps.Writes);

        _state.SetListed("test", true);
        await UntilAsync(() => Text.Contains("default/web", StringComparison.Ordinal));
        await StopAsync(running);
    }

    [Fact]
    public async Task A_failed_write_is_tried_again_by_itself_and_told_once()
    {
        int refusals = 0;
        _fault = () => refusals++ < 12 ? new MapWrite(MapError.Failed, "EINVAL") : null;
        _state.SetListed("test", true);
        _state.Apply(Changes.Of("web", "10.96.0.10"));
        var running = _loop.RunAsync(_stop.Token);

        await UntilAsync(() => Text.Contains("frontend 10.96.0.10:80/TCP", StringComparison.Ordinal));
        await StopAsync(running);
        Assert.Single(_log.Lines, line => line.Contains("default/web is not programmed", StringComparison.Ordinal));
    }

    [Fact]
    public void A_service_that_does_not_fit_stands_among_the_problems_until_it_does()
    {
        _state.SetListed("test", true);
        _state.Apply(Changes.Of("a", "10.96.0.10", "10.244.1.11", "10.244.1.12", "10.244.1.13"));
        _loop.RunOnce();
        _state.Apply(Changes.Of("b", "10.96.0.11", "10.244.1.21", "10.244.1.22"));
        _loop.RunOnce();

        var problem = Assert.Single(Problems);
        Assert.Equal("default/b", problem.Object.ToString());
        Assert.Contains("backends_v1 is full", problem.Message.ToString(), StringComparison.Ordinal);

        _state.Apply(new ClusterChange { RemovedServices = [new ObjectName("default", "a")] });
        _loop.RunOnce();
        Assert.Empty(Problems);
        Assert.Contains("default/b", Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Both_sides_of_a_conflict_are_named_and_the_problem_goes_with_it()
    {
        _state.SetListed("test", true);
        _state.Apply(Changes.Of("a", "10.96.0.10"));
        _state.Apply(Changes.Of("b", "10.96.0.10"));
        _loop.RunOnce();

        var problem = Assert.Single(Problems);
        Assert.Contains("default/b does not get frontend 10.96.0.10:80/TCP: default/a has it, being older or, of the same age, first by name", problem.Message.ToString(), StringComparison.Ordinal);
        Assert.Single(_log.Lines, line => line.Contains("does not get frontend", StringComparison.Ordinal));

        _state.Apply(new ClusterChange { RemovedServices = [new ObjectName("default", "a")] });
        _loop.RunOnce();
        Assert.Empty(Problems);
    }

    [Fact]
    public async Task Problems_of_a_source_appear_without_any_object_changing()
    {
        _state.SetListed("test", true);
        var running = _loop.RunAsync(_stop.Token);
        await UntilAsync(() => _log.Lines.Any(line => line.Contains("First sync", StringComparison.Ordinal)));

        lock (_sourceProblems)
            _sourceProblems.Add(new Problem("web.yaml:3", "port 0"));
        _loop.Wake();
        await UntilAsync(() => Problems.Count == 1);
        await StopAsync(running);
    }

    [Fact]
    public void Problems_of_the_node_come_first_and_go_without_any_object_changing()
    {
        _nodeProblems.Add(new Problem("eth0", "refused"));
        _loop.RunOnce();
        Assert.Equal(["eth0"], Problems.Select(problem => problem.Object.ToString()));

        _state.SetListed("test", true);
        _state.Apply(Changes.Of("a", "10.96.0.10"));
        _state.Apply(Changes.Of("b", "10.96.0.10"));
        _sourceProblems.Add(new Problem("web.yaml:3", "port 0"));
        _loop.RunOnce();
        Assert.Equal(
            ["eth0", "default/b", "web.yaml:3"],
            _maps.Problems.ReadAll().OrderBy(entry => entry.Key).Select(entry => entry.Value.Object.ToString()));

        _nodeProblems.Clear();
        _loop.RunOnce();
        Assert.Equal(2, Problems.Count);
    }

    [Fact]
    public void A_service_CIDR_that_holds_an_address_of_the_node_is_a_problem_and_is_programmed_when_it_no_longer_does()
    {
        _desired.NodeFacts = new NodeFacts([Address.Parse("10.96.7.7")], default);
        _state.SetListed("test", true);
        _state.Apply(new ClusterChange { UpsertedServiceCidrs = [new ServiceCidr("kubernetes", [AddressPrefix.Parse("10.96.0.0/16")])] });
        _loop.RunOnce();
        _loop.RunOnce();
        var problem = Assert.Single(Problems);
        Assert.Equal("ServiceCIDR/10.96.0.0/16", problem.Object.ToString());
        Assert.StartsWith("Service CIDR 10.96.0.0/16 holds 10.96.7.7, an address of this node", problem.Message.ToString(), StringComparison.Ordinal);
        Assert.Single(_log.Lines, line => line == problem.Message.ToString());
        Assert.Empty(_maps.ServiceCidrs.ReadAll());

        _desired.NodeFacts = NodeFacts.None;
        _loop.RunOnce();
        Assert.Empty(Problems);
        Assert.Single(_maps.ServiceCidrs.ReadAll());
    }

    [Fact]
    public void The_service_of_the_API_server_that_keeps_its_backends_is_a_problem_until_it_has_others()
    {
        _state.SetListed("test", true);
        _state.Apply(Changes.Of("kubernetes", "10.96.0.1", "192.0.2.1"));
        _loop.RunOnce();
        string full = Text;
        var slice = _state.Take().State.SlicesOf(new ObjectName("default", "kubernetes"))[0];
        _state.Apply(new ClusterChange { UpsertedSlices = [slice with { Endpoints = default }] });
        _loop.RunOnce();
        _loop.RunOnce();

        Assert.Equal(full, Text);
        var problem = Assert.Single(Problems);
        Assert.Equal("default/kubernetes", problem.Object.ToString());
        Assert.Contains("has no endpoint, and keeps the 1 backends it had last", problem.Message.ToString(), StringComparison.Ordinal);
        Assert.Single(_log.Lines, line => line == problem.Message.ToString());

        _state.Apply(new ClusterChange { UpsertedSlices = [slice] });
        _loop.RunOnce();
        Assert.Empty(Problems);
    }

    [Theory]
    [InlineData(30000, 40000, true)]
    [InlineData(29999, 30080, true)]
    [InlineData(30090, 30090, true)]
    [InlineData(30081, 30089, true)]
    [InlineData(1024, 30079, false)]
    [InlineData(30091, 65535, false)]
    public void SNAT_ports_in_the_range_of_NodePorts_are_a_problem_that_names_both(int first, int last, bool isProblem)
    {
        _loop = CreateLoop((first, last));
        _state.SetListed("test", true);
        _state.Apply(new ClusterChange { UpsertedServices = [WithNodePorts(30080, 30090)] });
        _loop.RunOnce();
        _loop.RunOnce();
        string[] expected = isProblem ? [$"--snat-ports {first}-{last} overlaps the range of NodePorts in use, 30080-30090: "] : [];
        Assert.Equal(expected, Problems.Select(problem => problem.Message.ToString()[..expected[0].Length]));
        Assert.Equal(expected.Length, _log.Lines.Count(line => line.Contains("overlaps", StringComparison.Ordinal)));

        _state.Apply(new ClusterChange { UpsertedServices = [WithNodePorts()] });
        _loop.RunOnce();
        Assert.Empty(Problems);
    }

    [Fact]
    public void More_problems_than_the_map_holds_are_counted_in_full()
    {
        var status = new AgentStatus(new InMemoryMap<uint, ProblemValue>(MapNames.Problems, 3), default);
        status.SetProblems([.. Enumerable.Range(0, 10).Select(number => new Problem($"s{number}", "full"))]);
        Assert.Equal(10u, status.Value.Problems);
    }

    [Fact]
    public void Problems_of_an_agent_before_this_one_are_not_shown()
    {
        _maps.Problems.Put(7, new ProblemValue { Object = "default/old", Message = "gone" });
        _loop = CreateLoop();
        Assert.Empty(Problems);
    }

    private string Text => MapText.Write(DatapathSnapshot.Read(_maps));

    private List<ProblemValue> Problems => [.. _maps.Problems.ReadAll().Select(entry => entry.Value)];

    private static Service WithNodePorts(params ushort[] nodePorts) => new()
    {
        Name = new ObjectName("default", "node-ports"),
        ClusterIPs = [Address.Parse("10.96.0.10")],
        Ports = nodePorts.Select((nodePort, number) => new ServicePort($"p{number}", Protocol.Tcp, (ushort)(80 + number), nodePort))
            .ToEquatableArray(),
    };

    private ReconcileLoop CreateLoop((int First, int Last)? snatPorts = null) => new(
        _state,
        _desired,
        DatapathSync.Restore(_maps, new DatapathSyncOptions(), TimeProvider.System),
        new AgentStatus(_maps.Problems, default),
        () =>
        {
            lock (_sourceProblems)
                return [.. _sourceProblems];
        },
        new ReconcileOptions { RetryInterval = TimeSpan.FromMilliseconds(1), MaxRetryInterval = TimeSpan.FromMilliseconds(5), SnatPorts = snatPorts },
        TimeProvider.System,
        _log,
        nodeProblems: () => _nodeProblems);

    private async Task UntilAsync(Func<bool> condition)
    {
        while (!Holds(condition))
            await Task.Delay(5, _stop.Token);
    }

    // The maps belong to the loop; a look at them while it writes may fail, and is then taken again.
    private static bool Holds(Func<bool> condition)
    {
        try
        {
            return condition();
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private async Task StopAsync(Task running)
    {
        await _stop.CancelAsync();
        await running;
    }

    private sealed class RecordingLogger : ILogger<ReconcileLoop>
    {
        private readonly List<string> _lines = [];

        public IReadOnlyList<string> Lines
        {
            get
            {
                lock (_lines)
                    return [.. _lines];
            }
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (_lines)
                _lines.Add(formatter(state, exception));
        }
    }
}
