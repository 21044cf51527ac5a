// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using System.Text.Json;
using EbpfLb.Agent.Metrics;
using EbpfLb.Agent.Serving;
using EbpfLb.Agent.Tests.Support;
using EbpfLb.Kubernetes.Api;

namespace EbpfLb.Agent.Tests.Serving;

public sealed class MetricsSiteTests : IAsyncLifetime
{
    private readonly ManualTime _time = new();
    private readonly MetricRegistry _registry = new();
    private TestServer _server = null!;
    private IPEndPoint _at = null!;

    public async Task InitializeAsync()
    {
        var options = new AgentOptions
        {
            NodeName = "node1",
            Api = new ApiOptions { Server = "https://someone:secret@192.0.2.1:6443" },
            Serving = new ServingOptions { Metrics = null },
        };
        var startedAt = _time.GetUtcNow();
        _registry.Add(exposition => ProcessMetrics.Write(exposition, startedAt));
        _server = await TestServer.StartAsync();
        _at = _server.Open(new MetricsSite(_registry, EffectiveSettings.Of(options), "1.2.3", startedAt, _time).Get);
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Theory]
    [InlineData("/proxyMode", "ebpf")]
    [InlineData("/healthz", "ok")]
    public async Task What_tools_ask_of_kube_proxy_is_answered(string path, string body)
    {
        var reply = await _server.GetAsync(_at, path);
        Assert.Equal((200, body), (reply.Status, reply.Body));
        Assert.Equal("text/plain; charset=utf-8", reply.Headers["Content-Type"]);
        Assert.Equal("nosniff", reply.Headers["X-Content-Type-Options"]);
    }

    [Fact]
    public async Task Metrics_say_their_format_and_know_the_process()
    {
        var reply = await _server.GetAsync(_at, "/metrics");
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", reply.Headers["Content-Type"]);
        var metrics = ParsedMetrics.Parse(System.Text.Encoding.UTF8.GetBytes(reply.Body));
        Assert.Equal(_time.GetUtcNow().ToUnixTimeSeconds(), metrics["process_start_time_seconds"]);
        string[] positive = ["process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds", "process_max_fds"];
        foreach (string name in positive)
            Assert.True(metrics[name] > 0, name);
        Assert.Equal("counter", metrics.Types["process_cpu_seconds_total"]);
    }

    [Fact]
    public async Task S196_Settings_are_shown_without_secrets()
    {
        var configz = await _server.GetAsync(_at, "/configz");
        Assert.Equal("application/json", configz.Headers["Content-Type"]);
        using var json = JsonDocument.Parse(configz.Body);
        var settings = json.RootElement.GetProperty("ebpflb");
        Assert.Equal("node1", settings.GetProperty("node-name").GetString());
        Assert.Equal("https://192.0.2.1:6443", settings.GetProperty("server").GetString());
        Assert.Equal("0.0.0.0:10256", settings.GetProperty("healthz-bind-address").GetString());
        Assert.Equal("", settings.GetProperty("metrics-bind-address").GetString());
        Assert.Equal("30s", settings.GetProperty("sync-period").GetString());

        var flagz = await _server.GetAsync(_at, "/flagz");
        Assert.Contains("\nsnat-ports=50000-65535\n", flagz.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", configz.Body + flagz.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Statusz_tells_the_version_and_how_long_it_runs()
    {
        _time.Advance(new TimeSpan(1, 2, 3, 4));
        var reply = await _server.GetAsync(_at, "/statusz");
        Assert.Contains("\nUp: 1.02:03:04\n", reply.Body, StringComparison.Ordinal);
        Assert.Contains("\nBinary version: 1.2.3\n", reply.Body, StringComparison.Ordinal);
        foreach (string path in reply.Body.Split('\n').Single(line => line.StartsWith("Paths: ", StringComparison.Ordinal)).Split(' ')[1..])
            Assert.Equal(200, (await _server.GetAsync(_at, path)).Status);
    }
}
