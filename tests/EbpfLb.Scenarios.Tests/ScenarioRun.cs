// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Maps;

namespace EbpfLb.Scenarios.Tests;

/// <summary>One pass through a scenario's steps, over maps of any kind.</summary>
internal sealed class ScenarioRun(Scenario scenario, ILbMaps maps) : IAsyncDisposable
{
    private const int MaxRounds = 200;

    private readonly ManifestFiles _files = new();
    private readonly ManualTime _time = new();
    private Agent? _agent;

    /// <summary>Runs every step where writes do not fail by chance: one pass of the agent does it all.</summary>
    /// <param name="asIfFromScratch">Compare each state with what an agent makes of the same files on empty maps.</param>
    public async Task<IReadOnlyList<Observation>> ObserveAsync(bool asIfFromScratch)
    {
        var observed = new List<Observation>();
        await StartAsync();
        _agent!.Reconcile();
        foreach (var step in scenario.Steps)
        {
            bool settled = _agent?.Reconcile().IsClean ?? false;
            await TakeAsync(step);
            if (_agent is null)
            {
                observed.Add(observed[^1] with { Problems = "" });
                continue;
            }

            Assert.Empty(_agent.RestoreFindings);
            var report = _agent.Reconcile();
            if (settled && step.Kind == SectionKind.Restart)
                Assert.Equal(0, report.MapWrites);
            if (report.IsClean)
            {
                Assert.Equal(0, _agent.Reconcile().MapWrites);
                AssertCounted();
            }

            var observation = _agent.Observe();
            observed.Add(observation);
            if (asIfFromScratch && _agent.IsUntroubled)
                AssertSame(observation, await FromScratchAsync(), $"from scratch after '{step.Kind}'");
        }

        await DeleteEverythingAsync(() => Assert.True(_agent!.Reconcile().IsClean));
        return observed;
    }

    /// <summary>Runs every step where any write may fail; trying again must lead where <paramref name="expected"/> says.</summary>
    public async Task FollowAsync(IReadOnlyList<Observation> expected)
    {
        await StartAsync();
        foreach (var (step, observation) in scenario.Steps.Zip(expected))
        {
            await TakeAsync(step);
            if (_agent is not null)
            {
                ReconcileUntil(
                    () => _agent.Observe() == observation,
                    () => $"after '{step.Kind}':\n{Text(_agent.Observe())}not\n{Text(observation)}");
            }
        }

        await DeleteEverythingAsync(() => ReconcileUntil(() => _agent!.Reconcile().IsClean, () => "when everything is deleted"));
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _files.Dispose();
    }

    private static void AssertSame(Observation expected, Observation actual, string situation) =>
        Assert.True(expected == actual, $"{situation}:\n{Text(actual)}not\n{Text(expected)}");

    private static string Text(Observation observation) => observation.Maps + observation.Problems;

    private void AssertCounted() => Assert.Equal(
        maps.Backends.ReadAll().Select(entry => entry.Key).Order(), maps.Counters.ReadAll().Select(entry => entry.Key).Order());

    private async Task TakeAsync(ScenarioStep step)
    {
        switch (step.Kind)
        {
            case SectionKind.Apply:
                _files.Write(step.Arguments[0], LineRanges.Expand(step.Body));
                break;
            case SectionKind.Delete:
                _files.Delete(step.Arguments[0]);
                break;
            case SectionKind.Rename:
                _files.Rename(step.Arguments[0], step.Arguments[1]);
                break;
            case SectionKind.Stop:
                await StopAsync();
                break;
            case SectionKind.Start:
                await StartAsync();
                break;
            case SectionKind.Restart:
                await StopAsync();
                await StartAsync();
                break;
            default:
                throw new InvalidOperationException($"{step.Kind} is not a step.");
        }

        if (_agent is not null)
            await _agent.ReadAsync();
    }

    private async Task StartAsync()
    {
        Assert.Null(_agent);
        _agent = await Agent.StartAsync(_files, scenario.Options, maps, _time);
    }

    private async Task StopAsync()
    {
        if (_agent is null)
            return;

        await _agent.DisposeAsync();
        _agent = null;
    }

    private async Task<Observation> FromScratchAsync()
    {
        var empty = new InMemoryMaps(scenario.Options.MapSizes);
        await using var fresh = await Agent.StartAsync(_files, scenario.Options, empty, new ManualTime());
        fresh.Reconcile();
        return fresh.Observe();
    }

    private async Task DeleteEverythingAsync(Action settle)
    {
        if (_agent is null)
            await StartAsync();
        _files.Delete(_files.Names);
        await _agent!.ReadAsync();
        settle();
        Assert.Equal(new Observation("", ""), _agent.Observe());
        Assert.Empty(maps.Frontends.ReadAll());
        Assert.Empty(maps.Vips.ReadAll());
        Assert.Empty(maps.Services.ReadAll());
        Assert.Empty(maps.Backends.ReadAll());
        Assert.Empty(maps.ServiceNames.ReadAll());
        Assert.Empty(maps.SourceRanges.ReadAll());
        Assert.Empty(maps.ServiceCidrs.ReadAll());
        Assert.Empty(maps.Counters.ReadAll());
        Assert.Empty(maps.ServiceCounters.ReadAll());
        Assert.True(maps.NodePorts.Range.IsEmpty);
    }

    private void ReconcileUntil(Func<bool> condition, Func<string> situation)
    {
        for (int round = 0; round < MaxRounds; round++)
        {
            _agent!.Reconcile();
            if (condition())
                return;
        }

        Assert.Fail($"{scenario.Name}, {situation()}, and {MaxRounds} rounds did not change it.");
    }
}
