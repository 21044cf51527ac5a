// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Agent.Health;
using EbpfLb.Agent.Metrics;
using EbpfLb.Agent.Serving;
using EbpfLb.Agent.Tests.Support;
using EbpfLb.Datapath.Maps;
using EbpfLb.Datapath.Status;
using EbpfLb.Datapath.Sync;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.State;
using Microsoft.Extensions.Logging.Abstractions;

namespace EbpfLb.Agent.Tests;

/// <summary>The loop over maps in memory, and what its ports would tell.</summary>
public sealed class ReconcileObserverTests : IAsyncLifetime, IDisposable
{
    private readonly ManualTime _time = new();
    private readonly ClusterStateWriter _state = new();
    private readonly DesiredState _desired = new(new DesiredStateOptions { NodeName = "node1" });
    private readonly MetricRegistry _registry = new();
    private readonly NodeEligibility _node = new("node1", needsNode: true, NullLogger<NodeEligibility>.Instance);
    private readonly HttpServer _server = new(new ServingLimits());
    private readonly HealthCheckPorts _checks;
    private readonly SyncHealth _health;
    private readonly ReconcileLoop _loop;
    private Func<MapWrite?> _fault = () => null;

    public ReconcileObserverTests()
    {
        var maps = new InMemoryMaps(new Dictionary<string, uint> { [MapNames.Backends] = 4 }, () => _fault());
        _health = new SyncHealth(TimeSpan.FromSeconds(60), _time);
        _checks = new HealthCheckPorts(_server, "node1", () => null, () => true, null, NullLogger<HealthCheckPorts>.Instance);
        var sync = DatapathSync.Restore(maps, new DatapathSyncOptions(), TimeProvider.System);
        var observer = new ReconcileObserver(
            _health, _node, _checks, new SyncMetrics(_registry, _state, _time.GetUtcNow()),
            new ObjectMetrics(_registry, "1.2.3", [(MapNames.Backends, 4)]), _desired, sync, _time);
        _loop = new ReconcileLoop(
            _state, _desired, sync, new AgentStatus(maps.Problems, default), () => [], new ReconcileOptions(), _time,
            NullLogger<ReconcileLoop>.Instance, observer: observer);
        _state.Queued = _health.Queued;
        _state.RegisterSource("test");
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _server.DisposeAsync();

    public void Dispose() => _checks.Dispose();

    [Fact]
    public void S164_A_node_that_was_told_before_the_services_makes_nobody_eligible()
    {
        _state.Apply(new ClusterChange { Node = new NodeChange(new Node("node1")) });
        _loop.RunOnce();
        Assert.False(_node.IsEligible);
        Assert.Null(_health.Report().LastUpdated);

        _state.SetListed("test", true);
        _loop.RunOnce();
        Assert.True(_node.IsEligible);
        Assert.NotNull(_health.Report().LastUpdated);
    }

    [Fact]
    public void S31_A_change_that_the_loop_does_not_take_is_unhealthy_until_it_does()
    {
        _state.SetListed("test", true);
        _loop.RunOnce();
        _state.Apply(Changes.Of("a", "10.96.0.10"));
        _time.Advance(TimeSpan.FromSeconds(60));
        Assert.False(_health.Report().IsHealthy);
        _loop.RunOnce();
        Assert.True(_health.Report().IsHealthy);
    }

    [Fact]
    public void One_service_that_does_not_fit_makes_nobody_unhealthy()
    {
        _state.SetListed("test", true);
        _state.Apply(Changes.Of("fits", "10.96.0.10", "10.244.1.1"));
        _loop.RunOnce();
        _state.Apply(Changes.Of("large", "10.96.0.11", "10.244.1.2", "10.244.1.3", "10.244.1.4", "10.244.1.5"));
        for (int runs = 0; runs < 10; runs++)
        {
            _loop.RunOnce();
            _time.Advance(TimeSpan.FromSeconds(30));
        }

        Assert.True(_health.Report().IsHealthy);
        var metrics = ParsedMetrics.Parse(_registry.Write());
        Assert.Equal(1, metrics["ebpflb_services_failed"]);
        Assert.Equal(1, metrics["ebpflb_problems"]);
        Assert.Equal(2, metrics["ebpflb_services"]);
        Assert.Equal(1, metrics["ebpflb_map_entries", ("map", "backends_v1")]);
        Assert.Equal(4, metrics["ebpflb_map_max_entries", ("map", "backends_v1")]);
        Assert.Equal(1, metrics["ebpflb_build_info", ("version", "1.2.3")]);
    }

    [Fact]
    public void The_only_service_that_does_not_fit_makes_nobody_unhealthy_either()
    {
        _state.SetListed("test", true);
        _loop.RunOnce();
        _state.Apply(Changes.Of("large", "10.96.0.11", "10.244.1.2", "10.244.1.3", "10.244.1.4", "10.244.1.5", "10.244.1.6"));
        _loop.RunOnce();
        _time.Advance(TimeSpan.FromSeconds(90));
        Assert.True(_health.Report().IsHealthy);
    }

    [Fact]
    public void Maps_that_cannot_be_written_at_all_are_unhealthy_until_they_can()
    {
        _state.SetListed("test", true);
        _state.Apply(Changes.Of("a", "10.96.0.10", "10.244.1.1"));
        _loop.RunOnce();
        _fault = () => new MapWrite(MapError.Failed, "EPERM");
        _state.Apply(Changes.Of("a", "10.96.0.10", "10.244.1.2"));
        for (int runs = 0; runs < 3; runs++)
        {
            _loop.RunOnce();
            Assert.True(_health.Report().IsHealthy);
            _time.Advance(TimeSpan.FromSeconds(20));
        }

        Assert.False(_health.Report().IsHealthy);
        _fault = () => null;
        _loop.RunOnce();
        Assert.True(_health.Report().IsHealthy);
    }
}
