// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Agent.Health;
using EbpfLb.Agent.Metrics;
using EbpfLb.Agent.Serving;
using EbpfLb.Agent.Tests.Support;
using EbpfLb.LoadBalancing.Model;
using Microsoft.Extensions.Logging.Abstractions;

namespace EbpfLb.Agent.Tests.Serving;

public sealed class HealthSiteTests : IAsyncLifetime
{
    private readonly ManualTime _time = new();
    private readonly NodeEligibility _node = new("node1", needsNode: true, NullLogger<NodeEligibility>.Instance);
    private readonly MetricRegistry _registry = new();
    private readonly SyncHealth _health;
    private TestServer _server = null!;
    private System.Net.IPEndPoint _at = null!;

    public HealthSiteTests() => _health = new SyncHealth(TimeSpan.FromSeconds(60), _time);

    public async Task InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        _at = _server.Open(new HealthSite(_health, _node, new HealthMetrics(_registry)).Get);
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task S31_Healthy_and_eligible_says_now_in_the_words_of_kube_proxy()
    {
        _node.Learn(new Node("node1"));
        Run();
        _time.Advance(TimeSpan.FromSeconds(90.5));

        var healthz = await _server.GetAsync(_at, "/healthz");
        Assert.Equal(200, healthz.Status);
        Assert.Equal(
            """{"lastUpdated":"2026-01-31T12:01:30.5Z","currentTime":"2026-01-31T12:01:30.5Z","nodeEligible":true,"healthy":true,"""
            + Status(isHealthy: true) + "}",
            healthz.Body);
        Assert.Equal("application/json", healthz.Headers["Content-Type"]);
        Assert.Equal("nosniff", healthz.Headers["X-Content-Type-Options"]);
        Assert.False(healthz.Headers.ContainsKey("Server"));

        var livez = await _server.GetAsync(_at, "/livez");
        Assert.Equal(200, livez.Status);
        Assert.Equal(healthz.Body.Replace("\"nodeEligible\":true,", "", StringComparison.Ordinal), livez.Body);
    }

    [Fact]
    public async Task S31_A_change_that_waits_too_long_is_503_on_both_and_tells_when_it_was_last_well()
    {
        _node.Learn(new Node("node1"));
        Run();
        _health.Queued();
        _time.Advance(TimeSpan.FromTicks(TimeSpan.TicksPerMinute + 1_234_567));

        var healthz = await _server.GetAsync(_at, "/healthz");
        Assert.Equal(503, healthz.Status);
        Assert.Equal(
            """{"lastUpdated":"2026-01-31T12:00:00Z","currentTime":"2026-01-31T12:01:00.1234567Z","nodeEligible":true,"healthy":false,"""
            + Status(isHealthy: false) + "}",
            healthz.Body);
        Assert.Equal(503, (await _server.GetAsync(_at, "/livez")).Status);
    }

    [Fact]
    public async Task S31_A_node_that_goes_is_503_on_healthz_only()
    {
        _node.Learn(new Node("node1") { IsGoing = true });
        Run();
        _time.Advance(TimeSpan.FromSeconds(1));

        var healthz = await _server.GetAsync(_at, "/healthz");
        Assert.Equal(503, healthz.Status);
        Assert.StartsWith(
            """{"lastUpdated":"2026-01-31T12:00:00Z","currentTime":"2026-01-31T12:00:01Z","nodeEligible":false,"healthy":true,""",
            healthz.Body, StringComparison.Ordinal);
        Assert.Equal(200, (await _server.GetAsync(_at, "/livez")).Status);
    }

    [Fact]
    public async Task S145_Before_anything_was_listed_livez_is_good_and_healthz_is_not()
    {
        var healthz = await _server.GetAsync(_at, "/healthz");
        Assert.Equal(503, healthz.Status);
        Assert.Equal(
            """{"lastUpdated":"0001-01-01T00:00:00Z","currentTime":"2026-01-31T12:00:00Z","nodeEligible":false,"healthy":true}""",
            healthz.Body);

        var livez = await _server.GetAsync(_at, "/livez");
        Assert.Equal(200, livez.Status);
        Assert.Equal("""{"lastUpdated":"2026-01-31T12:00:00Z","currentTime":"2026-01-31T12:00:00Z","healthy":true}""", livez.Body);
    }

    [Fact]
    public async Task Answers_are_counted_by_code()
    {
        _node.Learn(new Node("node1"));
        await _server.GetAsync(_at, "/healthz");
        _node.Learn(null);
        await _server.GetAsync(_at, "/healthz");
        await _server.GetAsync(_at, "/livez");

        var metrics = ParsedMetrics.Parse(_registry.Write());
        Assert.Equal(1, metrics["kubeproxy_proxy_healthz_total", ("code", "200")]);
        Assert.Equal(1, metrics["kubeproxy_proxy_healthz_total", ("code", "503")]);
        Assert.Equal(1, metrics["kubeproxy_proxy_livez_total", ("code", "200")]);
        Assert.Equal(0, metrics["kubeproxy_proxy_livez_total", ("code", "503")]);
    }

    private static string Status(bool isHealthy)
    {
        string family = $$"""{"lastUpdated":"2026-01-31T12:00:00Z","healthy":{{(isHealthy ? "true" : "false")}}}""";
        return $$"""
            "status":{"IPv4":{{family}},"IPv6":{{family}}}
            """;
    }

    private void Run()
    {
        _health.Started();
        _health.Completed();
    }
}
