// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Agent.Metrics;

/// <summary>How often the agent was asked for its health, and what it said.</summary>
internal sealed class HealthMetrics(MetricRegistry registry)
{
    private readonly Codes _healthz = new(
        registry.Counters("kubeproxy_proxy_healthz_total", "Cumulative proxy healthz HTTP status", ["code"]));

    private readonly Codes _livez = new(
        registry.Counters("kubeproxy_proxy_livez_total", "Cumulative proxy livez HTTP status", ["code"]));

    public Counter Healthz(bool isGood) => _healthz.Of(isGood);

    public Counter Livez(bool isGood) => _livez.Of(isGood);

    private sealed class Codes(MetricFamily<Counter> family)
    {
        private readonly Counter _good = family.With("200");
        private readonly Counter _bad = family.With("503");

        public Counter Of(bool isGood) => isGood ? _good : _bad;
    }
}
