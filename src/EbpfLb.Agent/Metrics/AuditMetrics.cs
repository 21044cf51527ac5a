// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Agent.Metrics;

/// <summary>What was found changed behind the agent's back.</summary>
internal sealed class AuditMetrics(MetricRegistry registry)
{
    private readonly Gauge _divergence = registry.Gauge(
        "ebpflb_state_divergence", "Entries of maps that were not as the agent had written them, at the last audit.");

    private readonly Gauge _left = registry.Gauge(
        "ebpflb_state_unrepaired", "Those of them that could not be written again.");

    private readonly Counter _audits = registry.Counter("ebpflb_state_audits_total", "Audits of the maps.");

    private readonly Counter _repaired = registry.Counter("ebpflb_state_repaired_total", "Entries of maps that audits wrote again.");

    private readonly Counter _putBack = registry.Counter(
        "ebpflb_put_back_total", "Pins and programs of socket hooks that somebody had removed.");

    public void Ended(int differed, int left)
    {
        _divergence.Set(differed);
        _left.Set(left);
        _audits.Add(1);
        _repaired.Add(differed - left);
    }

    public void PutBack(int count) => _putBack.Add(count);
}
