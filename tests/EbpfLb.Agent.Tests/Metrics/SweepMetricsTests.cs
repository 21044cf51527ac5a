// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Agent.Metrics;
using EbpfLb.Agent.Tests.Support;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Maps;

namespace EbpfLb.Agent.Tests.Metrics;

public sealed class SweepMetricsTests
{
    private static readonly (string, string) BothFamilies = ("ip_family", "any");

    [Fact]
    public void A_sweep_counts_as_a_run_of_kube_proxys_conntrack_reconciler()
    {
        var registry = new MetricRegistry();
        var sweeps = new SweepMetrics(registry, new ObjectMetrics(registry, "1.2.3", []));
        sweeps.Swept(new SweepValue { Entries = 10, Flows = 3, HalfOpen = 1, Expired = 4 }, TimeSpan.FromMilliseconds(3));
        sweeps.Swept(new SweepValue { Entries = 6, Flows = 3, Expired = 0, Lost = 2, Dead = 1 }, TimeSpan.FromMilliseconds(3));

        var metrics = ParsedMetrics.Parse(registry.Write());
        Assert.Equal("histogram", metrics.Types["kubeproxy_conntrack_reconciler_sync_duration_seconds"]);
        Assert.Equal("counter", metrics.Types["kubeproxy_conntrack_reconciler_deleted_entries_total"]);
        Assert.Equal(Buckets.Sync, metrics.BucketsOf("kubeproxy_conntrack_reconciler_sync_duration_seconds", BothFamilies));
        Assert.Equal(2, metrics["kubeproxy_conntrack_reconciler_sync_duration_seconds_count", BothFamilies]);
        Assert.Equal(4, metrics["kubeproxy_conntrack_reconciler_deleted_entries_total", BothFamilies]);
        Assert.Equal(3, metrics["ebpflb_conntrack_flows"]);
        Assert.Equal(0, metrics["ebpflb_conntrack_half_open_flows"]);
        Assert.Equal(2, metrics["ebpflb_conntrack_lost_flows"]);
        Assert.Equal(6, metrics["ebpflb_map_entries", ("map", MapNames.Conntrack)]);
    }
}
