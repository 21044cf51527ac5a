// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Agent.Metrics;
using EbpfLb.Agent.Tests.Support;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.State;

namespace EbpfLb.Agent.Tests.Metrics;

public sealed class SyncMetricsTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 31, 12, 0, 0, TimeSpan.Zero);
    private static readonly (string, string) IPv4 = ("ip_family", "IPv4");
    private static readonly (string, string) IPv6 = ("ip_family", "IPv6");

    private readonly MetricRegistry _registry = new();
    private readonly ClusterStateWriter _state = new();
    private readonly SyncMetrics _runs;

    public SyncMetricsTests()
    {
        _runs = new SyncMetrics(_registry, _state, Start);
        _state.RegisterSource("test");
        _state.SetListed("test", true);
    }

    private ParsedMetrics Metrics => ParsedMetrics.Parse(_registry.Write());

    [Fact]
    public void Names_types_labels_and_buckets_are_those_of_kube_proxy()
    {
        var metrics = Metrics;
        var types = new Dictionary<string, string>
        {
            ["kubeproxy_sync_proxy_rules_duration_seconds"] = "histogram",
            ["kubeproxy_sync_full_proxy_rules_duration_seconds"] = "histogram",
            ["kubeproxy_sync_partial_proxy_rules_duration_seconds"] = "histogram",
            ["kubeproxy_sync_proxy_rules_last_timestamp_seconds"] = "gauge",
            ["kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds"] = "gauge",
            ["kubeproxy_network_programming_duration_seconds"] = "histogram",
            ["kubeproxy_sync_proxy_rules_endpoint_changes_pending"] = "gauge",
            ["kubeproxy_sync_proxy_rules_service_changes_pending"] = "gauge",
            ["kubeproxy_sync_proxy_rules_endpoint_changes_total"] = "counter",
            ["kubeproxy_sync_proxy_rules_service_changes_total"] = "counter",
            ["kubeproxy_sync_proxy_rules_no_local_endpoints_total"] = "gauge",
        };
        Assert.Equal(types.OrderBy(type => type.Key), metrics.Types.OrderBy(type => type.Key));
        foreach (var family in new[] { IPv4, IPv6 })
        {
            Assert.Equal(Buckets.NetworkProgramming, metrics.BucketsOf("kubeproxy_network_programming_duration_seconds", family));
            foreach (string kind in new[] { "sync", "sync_full", "sync_partial" })
                Assert.Equal(Buckets.Sync, metrics.BucketsOf($"kubeproxy_{kind}_proxy_rules_duration_seconds", family));
            foreach (string policy in new[] { "internal", "external" })
                Assert.Equal(0, metrics["kubeproxy_sync_proxy_rules_no_local_endpoints_total", family, ("traffic_policy", policy)]);
        }
    }

    [Fact]
    public void A_run_counts_what_it_took_and_how_long_that_was()
    {
        _state.Apply(new ClusterChange
        {
            UpsertedServices = [Service("a"), Service("b")],
            UpsertedSlices = [Slice("a", null), Slice("b", null), Slice("c", null)],
        });
        Assert.Equal(2, Metrics["kubeproxy_sync_proxy_rules_service_changes_pending"]);
        Assert.Equal(3, Metrics["kubeproxy_sync_proxy_rules_endpoint_changes_pending"]);

        _runs.Queued(Start.AddSeconds(1));
        _runs.Ran(_state.Take(), TimeSpan.FromMilliseconds(3), isFull: true, succeeded: true, Start.AddSeconds(2));
        _runs.Ran(_state.Take(), TimeSpan.FromMilliseconds(5), isFull: false, succeeded: true, Start.AddSeconds(3));

        var metrics = Metrics;
        Assert.Equal(0, metrics["kubeproxy_sync_proxy_rules_service_changes_pending"]);
        Assert.Equal(2, metrics["kubeproxy_sync_proxy_rules_service_changes_total"]);
        Assert.Equal(3, metrics["kubeproxy_sync_proxy_rules_endpoint_changes_total"]);
        foreach (var family in new[] { IPv4, IPv6 })
        {
            Assert.Equal(2, metrics["kubeproxy_sync_proxy_rules_duration_seconds_count", family]);
            Assert.Equal(0.008, metrics["kubeproxy_sync_proxy_rules_duration_seconds_sum", family], 6);
            Assert.Equal(0.003, metrics["kubeproxy_sync_full_proxy_rules_duration_seconds_sum", family], 6);
            Assert.Equal(0.005, metrics["kubeproxy_sync_partial_proxy_rules_duration_seconds_sum", family], 6);
            Assert.Equal(Start.ToUnixTimeSeconds() + 1, metrics["kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds", family]);
            Assert.Equal(Start.ToUnixTimeSeconds() + 3, metrics["kubeproxy_sync_proxy_rules_last_timestamp_seconds", family]);
        }
    }

    [Fact]
    public void Programming_is_measured_from_the_change_to_the_map_and_not_for_changes_before_the_start()
    {
        _state.Apply(new ClusterChange
        {
            UpsertedSlices =
            [
                Slice("before", Start.AddSeconds(-1)), Slice("a", Start), Slice("b", Start.AddSeconds(8)),
                Slice("ahead", Start.AddSeconds(99)), Slice("silent", null),
            ],
        });
        _runs.Ran(_state.Take(), TimeSpan.Zero, isFull: true, succeeded: true, Start.AddSeconds(10));

        var metrics = Metrics;
        Assert.Equal(3, metrics["kubeproxy_network_programming_duration_seconds_count", IPv4]);
        Assert.Equal(12, metrics["kubeproxy_network_programming_duration_seconds_sum", IPv4]);
        Assert.Equal(0, metrics["kubeproxy_network_programming_duration_seconds_count", IPv6]);
    }

    [Fact]
    public void A_run_that_failed_as_a_whole_programmed_nothing()
    {
        _state.Apply(new ClusterChange { UpsertedSlices = [Slice("a", Start)] });
        _runs.Ran(_state.Take(), TimeSpan.FromSeconds(1), isFull: true, succeeded: false, Start.AddSeconds(10));
        Assert.Equal(1, Metrics["kubeproxy_sync_proxy_rules_duration_seconds_count", IPv4]);
        Assert.Equal(0, Metrics["kubeproxy_network_programming_duration_seconds_count", IPv4]);
        Assert.Equal(0, Metrics["kubeproxy_sync_proxy_rules_last_timestamp_seconds", IPv4]);
    }

    [Fact]
    public void Services_whose_policy_drops_their_traffic_here_are_counted_until_they_no_longer_do()
    {
        var desired = new DesiredState(new DesiredStateOptions { NodeName = "node1" });
        var noLocal = new NoLocalEndpoints(_runs);
        _state.Apply(new ClusterChange
        {
            UpsertedServices =
            [
                Service("a") with { InternalTrafficPolicy = TrafficPolicy.Local },
                Service("b") with { ExternalTrafficPolicy = TrafficPolicy.Local, Ports = [new ServicePort("", Protocol.Tcp, 80, 30080)] },
                Service("unreachable") with { ExternalTrafficPolicy = TrafficPolicy.Local },
                Service("empty") with { InternalTrafficPolicy = TrafficPolicy.Local },
                Service("cluster"),
            ],
            UpsertedSlices = [Slice("a", null), Slice("b", null), Slice("unreachable", null), Slice("cluster", null)],
        });
        Learn();
        Assert.Equal((1, 1), Counts());

        _state.Apply(new ClusterChange { UpsertedSlices = [Slice("a", null, "node1")] });
        Learn();
        Assert.Equal((0, 1), Counts());

        _state.Apply(new ClusterChange { RemovedServices = [new ObjectName("default", "b")] });
        Learn();
        Assert.Equal((0, 0), Counts());

        void Learn()
        {
            var delta = _state.Take();
            noLocal.Learn(desired.Update(delta.State, delta.Dirty));
        }

        (double Internal, double External) Counts()
        {
            var metrics = Metrics;
            return (
                metrics["kubeproxy_sync_proxy_rules_no_local_endpoints_total", IPv4, ("traffic_policy", "internal")],
                metrics["kubeproxy_sync_proxy_rules_no_local_endpoints_total", IPv4, ("traffic_policy", "external")]);
        }
    }

    private static Service Service(string name) => new()
    {
        Name = new ObjectName("default", name),
        ClusterIPs = [Address.Parse($"10.96.{name.Length}.{(int)name[0]}")],
        Ports = [new ServicePort("", Protocol.Tcp, 80)],
    };

    private static EndpointSlice Slice(string service, DateTimeOffset? trigger, string node = "node2") => new()
    {
        Name = new ObjectName("default", service + "-1"),
        Service = new ObjectName("default", service),
        Family = AddressFamily.IPv4,
        Ports = [new EndpointPort("", Protocol.Tcp, 8080)],
        Endpoints = [new Endpoint { Address = Address.Parse("10.244.1.5"), NodeName = node }],
        LastChangeTrigger = trigger,
    };
}
