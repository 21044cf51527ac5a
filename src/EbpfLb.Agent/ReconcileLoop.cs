// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime;
using System.Threading.Channels;
using EbpfLb.Datapath.Maps;
using EbpfLb.Datapath.Status;
using EbpfLb.Datapath.Sync;
using EbpfLb.Linux.Clocks;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.State;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Agent;

/// <summary>
/// The one task that owns desired state, the view of the maps, and the status. Others hand in changes through the
/// <see cref="ClusterStateWriter"/> or <see cref="Wake"/> it.
/// </summary>
internal sealed class ReconcileLoop(
    ClusterStateWriter state,
    DesiredState desired,
    DatapathSync sync,
    AgentStatus status,
    Func<IReadOnlyList<Problem>> sourceProblems,
    ReconcileOptions options,
    TimeProvider time,
    ILogger<ReconcileLoop> logger,
    Action? backendsMayHaveGone = null,
    Func<IReadOnlyList<Problem>>? nodeProblems = null,
    ReconcileObserver? observer = null,
    ServiceEvents? events = null,
    MapGrowth? growth = null,
    Action<DatapathSync>? audit = null)
{
    private readonly Channel<bool> _woken =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    // All of these are owned by RunAsync.
    private readonly ReconcileProblems _problems = new(desired, sync, options, events, logger);
    private TimeSpan _retryDelay;
    private long _retryFrom;
    private long _sweptAt;
    private bool _ranOnce;

    /// <summary>Asks for a run although no object changed: a source has other problems now. Any number of calls is one run.</summary>
    public void Wake() => _woken.Writer.TryWrite(true);

    public async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            await WaitForWorkAsync(stopping).ConfigureAwait(false);
            if (stopping.IsCancellationRequested)
                return;

            RunOnce();
            if (growth is not null)
                await growth.RunAsync(stopping).ConfigureAwait(false);
            await Task.Delay(options.MinInterval, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>One pass from what changed to the maps.</summary>
    internal void RunOnce()
    {
        long start = time.GetTimestamp();
        var delta = state.Take();
        if (!delta.IsListed)
        {
            ShowProblems();
            return;
        }

        observer?.Started();
        events?.Learn(delta.State);
        bool retry = _retryDelay > TimeSpan.Zero && time.GetElapsedTime(_retryFrom) >= _retryDelay;
        var changes = desired.Update(delta.State, delta.Dirty);
        var report = sync.Apply(changes, delta.IsComplete, retry);
        var elapsed = time.GetElapsedTime(start);
        // Flows of datagrams end with their backend, and only the sweep ends them.
        if (!changes.IsEmpty || retry)
            backendsMayHaveGone?.Invoke();
        ScheduleRetry(report, retry, failuresChanged: _problems.Note(changes, report));

        status.Synced(MonotonicClock.NowNs, sync.DesiredPortCount, report.Failures.Count, report.IsClean);
        observer?.Ran(delta, changes, report, elapsed);
        audit?.Invoke(sync);
        ShowProblems();
        SweepAffinityIfDue();
        NoteFills(report);
        Report(changes, report, elapsed);
        _ranOnce = true;
    }

    private async Task WaitForWorkAsync(CancellationToken stopping)
    {
        using var stopWaiting = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var deadline = options.MaxInterval;
        if (_retryDelay > TimeSpan.Zero)
            deadline = Max(TimeSpan.Zero, _retryDelay - time.GetElapsedTime(_retryFrom));
        else if (sync.AffinitySweepDue)
            deadline = options.SweepInterval;
        Task[] reasons =
        [
            state.WaitAsync(stopWaiting.Token),
            _woken.Reader.WaitToReadAsync(stopWaiting.Token).AsTask(),
            Task.Delay(deadline, time, stopWaiting.Token),
        ];
        await Task.WhenAny(reasons).ConfigureAwait(false);

        // The losers must not take the next signal with them.
        await stopWaiting.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(reasons).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _woken.Reader.TryRead(out _);
    }

    private static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;

    // A new failure deserves a prompt try; the same one again and again does not.
    private void ScheduleRetry(ApplyReport report, bool retried, bool failuresChanged)
    {
        if (report.IsClean)
        {
            _retryDelay = TimeSpan.Zero;
            return;
        }

        if (failuresChanged || _retryDelay == TimeSpan.Zero)
            _retryDelay = options.RetryInterval;
        else if (retried)
            _retryDelay = _retryDelay * 2 < options.MaxRetryInterval ? _retryDelay * 2 : options.MaxRetryInterval;
        else
            return;

        _retryFrom = time.GetTimestamp();
    }

    private void SweepAffinityIfDue()
    {
        var interval = sync.AffinitySweepDue ? options.SweepInterval : options.MaxInterval;
        if (_ranOnce && time.GetElapsedTime(_sweptAt) < interval)
            return;

        _sweptAt = time.GetTimestamp();
        int swept = sync.SweepAffinity(MonotonicClock.NowNs);
        if (swept > 0)
            logger.AffinitySwept(swept);
    }

    private void NoteFills(ApplyReport report)
    {
        if (growth is null)
            return;

        foreach (var fill in sync.Fills)
            growth.Note(fill);
        foreach (var failure in report.Failures.Where(failure => failure.Error == MapError.Full))
            growth.Refused(failure.Map);
    }

    private void ShowProblems()
    {
        var ofSources = sourceProblems();
        var ofNode = nodeProblems?.Invoke() ?? [];
        var ofRuns = _problems.Current;
        // Those of the node first, where there is not room for all: they concern every service.
        status.SetProblems(ofSources.Count + ofNode.Count == 0 ? ofRuns : [.. ofNode, .. ofRuns, .. ofSources]);
        observer?.Told(ofSources.Count + ofNode.Count + ofRuns.Count);
    }

    private void Report(DesiredChanges changes, ApplyReport report, TimeSpan elapsed)
    {
        if (!_ranOnce)
        {
            logger.FirstSync(sync.ServicePortCount, sync.FrontendCount, sync.BackendCount, report.MapWrites, elapsed.TotalMilliseconds);
            // Parsing everything once left far more garbage than any later change will: give the memory back to the node.
            GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
        else if (!changes.IsEmpty)
            logger.Synced(changes.Upserted.Count, changes.Removed.Count, report.MapWrites, elapsed.TotalMilliseconds);
    }
}
