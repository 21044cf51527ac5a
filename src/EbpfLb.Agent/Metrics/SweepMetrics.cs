// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Maps;

namespace EbpfLb.Agent.Metrics;

/// <summary>What sweeps of conntrack_v1 did: in kube-proxy's words, and in ours.</summary>
internal sealed class SweepMetrics
{
    // One sweep goes through the flows of both families, and does not tell them apart.
    private const string BothFamilies = "any";

    private readonly ObjectMetrics _objects;
    private readonly Histogram _duration;
    private readonly Counter _deleted;
    private readonly Gauge _flows;
    private readonly Gauge _halfOpen;
    private readonly Gauge _lost;

    public SweepMetrics(MetricRegistry registry, ObjectMetrics objects)
    {
        _objects = objects;
        _duration = registry.Histograms(
            "kubeproxy_conntrack_reconciler_sync_duration_seconds", "ReconcileConntrackFlowsLatency latency in seconds", ["ip_family"],
            Buckets.Sync).With(BothFamilies);
        _deleted = registry.Counters(
            "kubeproxy_conntrack_reconciler_deleted_entries_total", "Cumulative conntrack flows deleted by conntrack reconciler",
            ["ip_family"]).With(BothFamilies);
        _flows = registry.Gauge("ebpflb_conntrack_flows", "Flows in conntrack_v1 after the last sweep.");
        _halfOpen = registry.Gauge("ebpflb_conntrack_half_open_flows", "TCP flows whose handshake is not complete after the last sweep.");
        _lost = registry.Gauge("ebpflb_conntrack_lost_flows", "TCP flows whose backend was gone at the last sweep.");
    }

    public void Swept(SweepValue value, TimeSpan elapsed)
    {
        _duration.Observe(elapsed.TotalSeconds);
        _deleted.Add((long)value.Expired);
        _flows.Set(value.Flows);
        _halfOpen.Set(value.HalfOpen);
        _lost.Set(value.Lost);
        _objects.SetEntries(MapNames.Conntrack, value.Entries - ulong.Min(value.Expired, value.Entries));
    }
}
