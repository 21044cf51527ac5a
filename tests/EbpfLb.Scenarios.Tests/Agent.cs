// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Threading.Channels;
using EbpfLb.Datapath.Inspection;
using EbpfLb.Datapath.Maps;
using EbpfLb.Datapath.Sync;
using EbpfLb.Kubernetes.Manifests;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.State;
using Microsoft.Extensions.Logging.Abstractions;

namespace EbpfLb.Scenarios.Tests;

/// <summary>One life of an agent over maps that outlive it: source, state, desired state and sync, as the agent composes them.</summary>
internal sealed class Agent : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private readonly ILbMaps _maps;
    private readonly ManifestFiles _files;
    private readonly ManualTime _time;
    private readonly ClusterStateWriter _state = new();
    private readonly DesiredState _desired;
    private readonly DatapathSync _sync;
    private readonly ManifestDirectory _source;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _news = new(0);
    private readonly Channel<string?> _changes = Channel.CreateUnbounded<string?>();
    private readonly Task _running;

    private Agent(ManifestFiles files, ScenarioOptions options, ILbMaps maps, ManualTime time)
    {
        _files = files;
        _maps = maps;
        _time = time;
        _desired = new DesiredState(options.Desired);
        _sync = DatapathSync.Restore(maps, new DatapathSyncOptions { Maglev = options.Desired.Maglev }, time);
        files.Changed += Tell;
        _source = new ManifestDirectory(
            files.Path, _state, _changes.Reader.ReadAllAsync(), NullLogger<ManifestDirectory>.Instance, TimeProvider.System,
            new ManifestDirectoryOptions
            {
                NodeName = options.Desired.NodeName,
                RescanInterval = TimeSpan.FromDays(1),
                ProblemsChanged = _ => _news.Release(),
            });
        _running = _source.RunAsync(_stopping.Token);
    }

    public IReadOnlyList<string> RestoreFindings => _sync.RestoreFindings;

    /// <summary>Every file read was good, and every service is as desired.</summary>
    public bool IsUntroubled => _sync.Failures.Count == 0
        && _source.CurrentProblems.All(problem => problem.Severity != Kubernetes.Translation.Severity.Invalid);

    /// <summary>The agent has read its files when this returns, and not yet programmed anything.</summary>
    public static async Task<Agent> StartAsync(ManifestFiles files, ScenarioOptions options, ILbMaps maps, ManualTime time)
    {
        var agent = new Agent(files, options, maps, time);
        await agent.ReadAsync();
        await agent._state.WaitAsync(CancellationToken.None).WaitAsync(Deadline);
        return agent;
    }

    /// <summary>Returns when the source has handed on what changed last.</summary>
    public async Task ReadAsync()
    {
        while (!_files.IsRead(_source.CurrentProblems))
        {
            var news = _news.WaitAsync(Deadline);
            if (await Task.WhenAny(news, _running) == _running)
                await _running;
            Assert.True(!_running.IsCompleted && await news, "the source does not read the mark");
        }
    }

    public ApplyReport Reconcile()
    {
        // A slot range rests for a second of this clock before it is used again.
        _time.Advance(TimeSpan.FromSeconds(1));
        var delta = _state.Take();
        return _sync.Apply(_desired.Update(delta.State, delta.Dirty), delta.IsComplete);
    }

    public Observation Observe()
    {
        var snapshot = DatapathSnapshot.Read(_maps);
        IEnumerable<string> problems =
        [
            .. _source.CurrentProblems.Where(problem => !ManifestFiles.IsMark(problem)).Select(problem => problem.ToString()),
            .. _desired.Conflicts.Select(conflict => $"{conflict.Loser}: {conflict.Frontend} belongs to {conflict.Winner}"),
            .. _desired.ServiceCidrConflicts.Select(conflict => $"ServiceCIDR {conflict.Cidr} holds {conflict.NodeAddress} of this node"),
            .. _desired.Refusals.Select(refusal => $"{refusal.Key}: {refusal.Frontend} is not for {refusal.Kind}: {refusal.Cause}"),
            .. SmallTables().Select(port => $"{port.Key}: {port.MaglevTableSize} slots, more than its Maglev table was given"),
            .. _sync.Failures.OrderBy(failure => failure.Service).Select(failure => failure.Message),
            .. snapshot.Inconsistencies.Select(inconsistency => $"inconsistent: {inconsistency}"),
        ];
        return new Observation(MapText.Write(snapshot), string.Concat(problems.Select(problem => problem + "\n")));
    }

    public async ValueTask DisposeAsync()
    {
        _files.Changed -= Tell;
        await _stopping.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
        _news.Dispose();
    }

    private IEnumerable<DesiredPort> SmallTables() =>
        _desired.Services.Values.SelectMany(service => service.Ports).Where(port => port.MaglevTableTooSmall).OrderBy(port => port.Key);

    private void Tell(string name) => _changes.Writer.TryWrite(name);
}
