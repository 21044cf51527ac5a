// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Api;
using EbpfLb.Kubernetes.Api.Reflection;
using EbpfLb.Kubernetes.Tests.Api.Support;
using EbpfLb.Kubernetes.Tests.Support;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.State;

namespace EbpfLb.Kubernetes.Tests.Api;

public sealed class ApiSourceTests : IAsyncLifetime, IAsyncDisposable
{
    private const string Services = "/api/v1/services";

    private const string Slices = "/apis/discovery.k8s.io/v1/endpointslices";

    private const string Nodes = "/api/v1/nodes";

    private const string Cidrs = "/apis/networking.k8s.io/v1/servicecidrs";

    private readonly ApiClock _clock = new();
    private readonly ClusterStateWriter _writer = new();
    private readonly RecordingLogger<ApiSource> _logger = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly ScriptedServer _server;
    private readonly ApiClient _client;
    private readonly ApiSource _source;
    private Task _run = Task.CompletedTask;

    public ApiSourceTests()
    {
        _server = new ScriptedServer(_clock, "https://10.96.0.1:443");
        _client = new ApiClient(_server);
        _source = new ApiSource(_client, "node-1", _writer, _clock, Random.Shared, _logger, new ReflectorOptions());
    }

    public Task InitializeAsync()
    {
        _run = Task.Run(() => _source.RunAsync(_stop.Token));
        return Task.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();

        // Being stopped is no failure.
        await _run.WaitAsync(TimeSpan.FromSeconds(30));
        _client.Dispose();
        _server.Dispose();
        _stop.Dispose();
    }

    // Only this interface's method is called by the runner.
    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    [Fact]
    public async Task S130_nothing_is_handed_out_before_every_list_is_complete()
    {
        var watches = new List<ScriptedWatch>();
        foreach (string path in new[] { Services, Slices, Nodes, Cidrs })
        {
            Assert.False(_writer.Take().IsListed);
            watches.Add((await _server.NextAsync(path)).Watch(Item(path)));
        }

        foreach (var watch in watches)
        {
            Assert.False(_writer.Take().IsListed);
            watch.Send(ApiText.Bookmark(7, isEnd: true));
        }

        await ReflectorFixture.UntilAsync(() => _writer.IsComplete);
        var delta = _writer.Take();
        Assert.True(delta.IsComplete);
        Assert.Equal(1, delta.State.SlicesOf(new ObjectName("default", "web")).Length);
        Assert.Equal("a", delta.State.Node!.Zone);
        Assert.Equal("10.96.0.0/12", delta.State.ServiceCidrs.Single().ToString());
        Assert.Equal(["services", "endpointslices.discovery.k8s.io", "nodes", "servicecidrs.networking.k8s.io"],
            _source.Resources.Select(status => status.Resource));
        Assert.All(_source.Resources, status => Assert.True(status is { Connected: true, Listed: true, Objects: 1 }));
        Assert.Empty(_source.CurrentProblems);
        Assert.Empty(_logger.Warnings);
    }

    [Fact]
    public async Task Server_behind_a_service_that_the_agent_programs_is_a_problem_with_a_way_out()
    {
        int told = 0;
        _source.ProblemsChanged = () => Interlocked.Increment(ref told);
        var watch = (await _server.NextAsync(Services)).Watch(
            ApiText.Added(ApiText.Service("kubernetes", 5, "10.96.0.1")), ApiText.Bookmark(7, isEnd: true));
        await ReflectorFixture.UntilAsync(() => _source.CurrentProblems.Count == 1);

        var problem = _source.CurrentProblems[0];
        Assert.Equal("Service default/kubernetes", problem.Subject);
        Assert.Contains("--kubeconfig", problem.Message, StringComparison.Ordinal);
        Assert.Contains("KUBERNETES_SERVICE_HOST", problem.Message, StringComparison.Ordinal);

        watch.Send(ApiText.Deleted(ApiText.Service("kubernetes", 8, "10.96.0.1")));
        await ReflectorFixture.UntilAsync(() => _source.CurrentProblems.Count == 0 && told == 2);
    }

    [Fact]
    public async Task S146_server_that_is_away_changes_nothing_and_is_caught_up_with()
    {
        var watches = new List<ScriptedWatch>();
        foreach (string path in new[] { Services, Slices, Nodes, Cidrs })
            watches.Add((await _server.NextAsync(path)).Watch(Item(path), ApiText.Bookmark(7, isEnd: true)));
        await ReflectorFixture.UntilAsync(() => _writer.IsComplete);
        var before = _writer.Take().State;

        foreach (var watch in watches)
            watch.Break();
        var start = _clock.GetUtcNow();
        var next = _server.NextAsync(Services);
        var deadline = Task.Delay(TimeSpan.FromSeconds(30));
        while (_clock.GetUtcNow() - start < TimeSpan.FromMinutes(10) || _source.CurrentProblems.Count < 4)
        {
            Assert.False(deadline.IsCompleted);
            _clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(1);
            foreach (string path in new[] { Slices, Nodes, Cidrs }.Where(_server.HasRequest))
                (await _server.NextAsync(path)).Fail(new HttpRequestException("connection refused"));
            if (next.IsCompleted)
            {
                (await next).Fail(new HttpRequestException("connection refused"));
                next = _server.NextAsync(Services);
            }
        }

        Assert.Same(before, _writer.Take().State);
        Assert.True(_writer.IsComplete);

        // The four say in status what is wrong with them, and one of them in the log.
        Assert.Single(_logger.Warnings);
        while (!next.IsCompleted)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        var request = await next;
        Assert.Equal("7", request["resourceVersion"]);
        request.Watch(ApiText.Modified(ApiText.Service("web", 8, "10.96.0.12")));
        await ReflectorFixture.UntilAsync(
            () => _writer.Take().State.FindService(new ObjectName("default", "web"))!.ClusterIPs[0].ToString() == "10.96.0.12");
    }

    private static string Item(string path) => ApiText.Added(path switch
    {
        Services => ApiText.Service("web", 5),
        Slices => ApiText.Slice("web-1", "web", 5, "10.244.1.1"),
        Nodes => ApiText.Node("node-1", 5, "a"),
        _ => ApiText.Cidr("kubernetes", 5, "10.96.0.0/12"),
    });
}
