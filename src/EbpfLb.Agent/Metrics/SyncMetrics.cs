// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.State;

namespace EbpfLb.Agent.Metrics;

/// <summary>
/// kube-proxy's metrics of its sync loop. It has a loop for each family; ours serves both in one run, which counts for each of them, as
/// two runs of a kube-proxy that balances both families do.
/// </summary>
internal sealed class SyncMetrics
{
    private const string Prefix = "kubeproxy_sync_proxy_rules_";

    private readonly Histogram[] _duration;
    private readonly Histogram[] _full;
    private readonly Histogram[] _partial;
    private readonly Gauge[] _lastTimestamp;
    private readonly Gauge[] _lastQueued;
    private readonly Histogram[] _programming;
    private readonly Counter _endpointChanges;
    private readonly Counter _serviceChanges;
    private readonly Dictionary<(AddressFamily, TrafficScopeLabel), Gauge> _noLocal = [];
    private readonly DateTimeOffset _startedAt;

    /// <param name="startedAt">What happened before was programmed by somebody else, or late because there was nobody.</param>
    public SyncMetrics(MetricRegistry registry, ClusterStateWriter state, DateTimeOffset startedAt)
    {
        _startedAt = startedAt;
        _duration = OfFamilies(Histograms(Prefix + "duration_seconds", "SyncProxyRules latency in seconds", Buckets.Sync));
        _full = OfFamilies(Histograms(
            "kubeproxy_sync_full_proxy_rules_duration_seconds", "SyncProxyRules latency in seconds for full resyncs", Buckets.Sync));
        _partial = OfFamilies(Histograms(
            "kubeproxy_sync_partial_proxy_rules_duration_seconds", "SyncProxyRules latency in seconds for partial resyncs", Buckets.Sync));
        _lastTimestamp = OfFamilies(registry.Gauges(
            Prefix + "last_timestamp_seconds", "The last time proxy rules were successfully synced", ["ip_family"]));
        _lastQueued = OfFamilies(registry.Gauges(
            Prefix + "last_queued_timestamp_seconds", "The last time a sync of proxy rules was queued", ["ip_family"]));
        _programming = OfFamilies(Histograms(
            "kubeproxy_network_programming_duration_seconds", "In Cluster Network Programming Latency in seconds",
            Buckets.NetworkProgramming));
        registry.Add(exposition => WritePending(exposition, state));
        _endpointChanges = registry.Counter(Prefix + "endpoint_changes_total", "Cumulative proxy rules Endpoint changes");
        _serviceChanges = registry.Counter(Prefix + "service_changes_total", "Cumulative proxy rules Service changes");
        var noLocal = registry.Gauges(
            Prefix + "no_local_endpoints_total", "Number of services with a Local traffic policy and no endpoints",
            ["ip_family", "traffic_policy"]);
        foreach (var family in Enum.GetValues<AddressFamily>())
        {
            _noLocal[(family, TrafficScopeLabel.Internal)] = noLocal.With(family.ToString(), "internal");
            _noLocal[(family, TrafficScopeLabel.External)] = noLocal.With(family.ToString(), "external");
        }

        MetricFamily<Histogram> Histograms(string name, string help, double[] bounds) =>
            registry.Histograms(name, help, ["ip_family"], bounds);
    }

    public void Queued(DateTimeOffset now) => Set(_lastQueued, Seconds(now));

    /// <param name="isFull">Whether everything was looked at, and not only what changed.</param>
    /// <param name="succeeded">False when the run failed as a whole: what it took is not programmed.</param>
    public void Ran(ClusterDelta delta, TimeSpan elapsed, bool isFull, bool succeeded, DateTimeOffset now)
    {
        _endpointChanges.Add(delta.SliceChanges);
        _serviceChanges.Add(delta.ServiceChanges);
        foreach (var histogram in _duration.Concat(isFull ? _full : _partial))
            histogram.Observe(elapsed.TotalSeconds);
        if (!succeeded)
            return;

        Set(_lastTimestamp, Seconds(now));
        foreach (var trigger in delta.Triggers)
        {
            // The clock of whoever wrote the slice may be ahead of ours.
            if (trigger.At >= _startedAt)
                _programming[Index(trigger.Family)].Observe(double.Max(0, (now - trigger.At).TotalSeconds));
        }
    }

    public void SetNoLocalEndpoints(AddressFamily family, TrafficScopeLabel policy, int services) =>
        _noLocal[(family, policy)].Set(services);

    private static void WritePending(Exposition exposition, ClusterStateWriter state)
    {
        var (services, slices) = state.Pending;
        exposition.Family(Prefix + "endpoint_changes_pending", "gauge", "Pending proxy rules Endpoint changes");
        exposition.Sample(Prefix + "endpoint_changes_pending", "", (long)slices);
        exposition.Family(Prefix + "service_changes_pending", "gauge", "Pending proxy rules Service changes");
        exposition.Sample(Prefix + "service_changes_pending", "", (long)services);
    }

    private static T[] OfFamilies<T>(MetricFamily<T> family)
        where T : Metric => [family.With("IPv4"), family.With("IPv6")];

    private static int Index(AddressFamily family) => family == AddressFamily.IPv4 ? 0 : 1;

    private static double Seconds(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).TotalSeconds;

    private static void Set(Gauge[] gauges, double value)
    {
        foreach (var gauge in gauges)
            gauge.Set(value);
    }
}

/// <summary>The label traffic_policy.</summary>
internal enum TrafficScopeLabel
{
    Internal,
    External,
}
