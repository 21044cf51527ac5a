// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Agent.Health;
using EbpfLb.Agent.Metrics;

namespace EbpfLb.Agent.Serving;

/// <summary>
/// /healthz, for load balancers: is this node any good for new connections; and /livez, for the kubelet: is this process any good.
/// </summary>
internal sealed class HealthSite(SyncHealth health, NodeEligibility node, HealthMetrics metrics)
{
    public Answer? Get(string path) => path switch
    {
        "/healthz" => Healthz(node.IsEligible),
        "/livez" => Livez(),
        _ => null,
    };

    private Answer Healthz(bool isEligible)
    {
        var report = health.Report();
        bool isGood = report.IsHealthy && isEligible;
        metrics.Healthz(isGood).Add();
        return new Answer(Status(isGood), Answer.Json, report.ToJson(isEligible));
    }

    private Answer Livez()
    {
        var report = health.Report();
        metrics.Livez(report.IsHealthy).Add();
        return new Answer(Status(report.IsHealthy), Answer.Json, report.ToJson(nodeEligible: null));
    }

    private static int Status(bool isGood) => isGood ? 200 : 503;
}
