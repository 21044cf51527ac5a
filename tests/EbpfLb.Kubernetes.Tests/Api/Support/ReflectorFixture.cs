// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Api;
using EbpfLb.Kubernetes.Api.Reflection;
using EbpfLb.Kubernetes.Tests.Support;
using EbpfLb.LoadBalancing.State;

namespace EbpfLb.Kubernetes.Tests.Api.Support;

/// <summary>One resource, followed from a scripted server in time that the test lets pass.</summary>
internal sealed class ReflectorFixture : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource _stop = new();
    private readonly ApiResource _resource;
    private readonly Reflector _reflector;
    private readonly Task _run;

    public ReflectorFixture(ApiResource? resource = null, ReflectorOptions? options = null, string nodeName = "node-1")
    {
        _resource = resource ?? ApiResource.Services;
        Server = new ScriptedServer(Clock);
        Problems = new ProblemBook(Logger);
        var translation = new ObjectTranslation(_resource, nodeName, ServerBehindService.AddressOf(Server.Server));
        var mirror = new ResourceMirror(_resource, translation, Writer, Problems, Logger);
        _reflector = new Reflector(
            _resource, Server, mirror, Problems, Outage, options ?? new ReflectorOptions(), Clock, new Random(1), Logger);
        _run = Task.Run(() => _reflector.RunAsync(_stop.Token));
    }

    public ApiClock Clock { get; } = new();

    public ScriptedServer Server { get; }

    public ClusterStateWriter Writer { get; } = new();

    public RecordingLogger<ApiSource> Logger { get; } = new();

    public ProblemBook Problems { get; }

    /// <summary>As if there were another resource.</summary>
    public ServerOutage Outage { get; } = new(2);

    public ApiResourceStatus Status => _reflector.Status;

    public ClusterState State => Writer.Take().State;

    /// <summary>Lets every pause before it pass.</summary>
    public async Task<ScriptedRequest> NextAfterPausesAsync()
    {
        var next = NextAsync();
        while (!next.IsCompleted)
        {
            var armed = Clock.Armed;
            if (Clock.TryPass(IsPause) is null)
                await Task.WhenAny(next, armed);
        }

        return await next;
    }

    public async Task<ScriptedRequest> NextAsync()
    {
        var next = Server.NextAsync(_resource.Path);
        if (await Task.WhenAny(next, _run) == _run)
            await _run;
        return await next;
    }

    public bool HasRequest => Server.HasRequest(_resource.Path);

    /// <summary>Lists as a stream, with the version of the last item or 1.</summary>
    public async Task<ScriptedWatch> ListAsync(int version, params string[] items)
    {
        var request = await NextAsync();
        Assert.True(request.IsStreamedList);
        var watch = request.Watch([.. items.Select(ApiText.Added), ApiText.Bookmark(version, isEnd: true)]);
        await UntilAsync(() => Writer.IsComplete);
        return watch;
    }

    /// <summary>Lets the back-off or the turn that the reflector waits for pass.</summary>
    public Task<TimeSpan> PassPauseAsync() => Clock.PassAsync(IsPause);

    /// <summary>Services with the addresses that tell their versions apart: <c>web=10.96.0.10 ...</c>, ordered.</summary>
    public string Services() => string.Join(' ', State.Services.OrderBy(service => service.Name)
        .Select(service => $"{service.Name.Name}={service.ClusterIPs[0]}"));

    public Task ServicesAreAsync(string expected) => UntilAsync(() => Services() == expected, () => $"{Services()} instead of {expected}");

    public static async Task UntilAsync(Func<bool> condition, Func<string>? describe = null)
    {
        var deadline = Task.Delay(Patience);
        while (!condition())
        {
            Assert.False(deadline.IsCompleted, describe?.Invoke() ?? "it never came to it");
            await Task.Delay(1);
        }
    }

    // What is not one of the limits for how long a server may say nothing.
    private static bool IsPause(TimeSpan time)
    {
        var options = new ReflectorOptions();
        return time != options.HeaderLimit && time != options.AnswerLimit && time != options.SilenceLimit && time != options.HealthyAfter
            && time < options.WatchTime;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _run.WaitAsync(Patience));
        _stop.Dispose();
    }
}
