// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime;
using System.Threading.Channels;
using EbpfLb.Datapath.Maps;
using EbpfLb.Datapath.Status;
using EbpfLb.Datapath.Sync;
using EbpfLb.Linux.Clocks;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;
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
    Func<IReadOnlyList<Problem>>? nodeProblems = null)
{
    private readonly Channel<bool> _woken = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    // All of these are owned by RunAsync.
    private readonly SortedDictionary<ObjectName, Problem> _smallTables = [];
    private HashSet<string> _reported = new(StringComparer.Ordinal);
    private IReadOnlyList<ServiceCidrConflict> _cidrConflicts = [];
    private IReadOnlyList<Problem> _ownProblems = [];
    private TimeSpan _retryDelay;
    private long _retryFrom;
    private long _sweptAt;
    private bool _ranOnce;
    private int _uncounted;
    private Problem? _overlap;

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

        bool retry = _retryDelay > TimeSpan.Zero && time.GetElapsedTime(_retryFrom) >= _retryDelay;
        var changes = desired.Update(delta.State, delta.Dirty);
        var report = sync.Apply(changes, delta.IsComplete, retry);
        // Flows of datagrams end with their backend, and only the sweep ends them.
        if (!changes.IsEmpty || retry)
            backendsMayHaveGone?.Invoke();
        bool smallTablesChanged = NoteSmallTables(changes);
        bool failuresChanged = NoteFailures(report);
        ScheduleRetry(report, retry, failuresChanged);

        status.Synced(MonotonicClock.NowNs, sync.DesiredPortCount, report.Failures.Count, report.IsClean);
        bool countedChanged = _uncounted != sync.UncountedBackends;
        _uncounted = sync.UncountedBackends;
        bool cidrConflictsChanged = NoteCidrConflicts(changes);
        bool overlapChanged = NoteOverlap();
        if (failuresChanged || smallTablesChanged || countedChanged || cidrConflictsChanged || overlapChanged
            || changes.NewConflicts.Count > 0 || changes.ResolvedConflicts.Count > 0)
            _ownProblems = CollectProblems(report);
        ShowProblems();
        SweepAffinityIfDue();
        Report(changes, report, start);
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

    // Logged once per failure, not once per try.
    private bool NoteFailures(ApplyReport report)
    {
        if (report.Failures.Count == 0 && _reported.Count == 0)
            return false;

        var current = report.Failures.Select(failure => failure.Message).ToHashSet(StringComparer.Ordinal);
        if (current.SetEquals(_reported))
            return false;

        foreach (string message in current.Where(message => !_reported.Contains(message)))
            logger.ServiceFailed(message);
        _reported = current;
        return true;
    }

    private bool NoteSmallTables(DesiredChanges changes)
    {
        bool changed = false;
        foreach (var name in changes.Removed)
            changed |= _smallTables.Remove(name);
        foreach (var service in changes.Upserted)
        {
            var small = service.Ports.FirstOrDefault(port => port.MaglevTableTooSmall);
            if (small is null)
            {
                changed |= _smallTables.Remove(service.Name);
                continue;
            }

            var problem = new Problem(
                service.Name.ToString(),
                $"{small.Key} has {small.Backends.Count} backends, more than its Maglev table was given slots; it got {small.MaglevTableSize}. "
                + "Raise --maglev-table-size or the service's annotation, or set 0 to let the number of backends decide.");
            if (_smallTables.TryGetValue(service.Name, out var known) && known == problem)
                continue;

            _smallTables[service.Name] = problem;
            logger.SmallMaglevTable(problem.Message);
            changed = true;
        }

        return changed;
    }

    private bool NoteCidrConflicts(DesiredChanges changes)
    {
        if (changes.ServiceCidrConflicts is not { } conflicts)
            return false;

        foreach (var conflict in conflicts.Except(_cidrConflicts))
            logger.ServiceCidrConflict(Describe(conflict));
        _cidrConflicts = conflicts;
        return true;
    }

    private bool NoteOverlap()
    {
        var overlap = Overlap();
        if (overlap == _overlap)
            return false;

        if (overlap is not null)
            logger.SnatPortsOverlap(overlap.Message);
        _overlap = overlap;
        return true;
    }

    private Problem? Overlap()
    {
        var nodePorts = sync.NodePortRange;
        if (options.SnatPorts is not { } snat || nodePorts.IsEmpty || snat.Last < nodePorts.First || snat.First > nodePorts.Last)
            return null;

        return new Problem(
            "--snat-ports",
            $"--snat-ports {snat.First}-{snat.Last} overlaps the range of NodePorts in use, {nodePorts.First}-{nodePorts.Last}: packets to such a "
            + "NodePort may be taken for answers to a masqueraded flow. Choose ports outside of it with --snat-ports, or give the services other "
            + "NodePorts.");
    }

    private IReadOnlyList<Problem> CollectProblems(ApplyReport report) =>
    [
        .. _overlap is null ? Array.Empty<Problem>() : [_overlap],
        .. report.Failures.OrderBy(failure => failure.Service).Select(failure => new Problem(failure.Service.ToString(), failure.Message)),
        .. desired.Conflicts.Select(conflict => new Problem(conflict.Loser.Service.ToString(), Describe(conflict))),
        .. _cidrConflicts.Select(conflict => new Problem($"ServiceCIDR/{conflict.Cidr}", Describe(conflict))),
        .. _smallTables.Values,
        .. Uncounted(),
    ];

    private Problem[] Uncounted() => _uncounted == 0
        ? []
        : [new Problem(MapNames.Counters, $"{_uncounted} backends have no counters, because {MapNames.Counters} takes no more: their traffic "
            + $"is served and not counted. Raise it with --map-size {MapNames.Counters}=ENTRIES after 'ebpflb cleanup'.")];

    private void ShowProblems()
    {
        var ofSources = sourceProblems();
        var ofNode = nodeProblems?.Invoke() ?? [];
        // Those of the node first, where there is not room for all: they concern every service.
        status.SetProblems(ofSources.Count + ofNode.Count == 0 ? _ownProblems : [.. ofNode, .. _ownProblems, .. ofSources]);
    }

    private static string Describe(FrontendConflict conflict) =>
        $"{conflict.Loser.DisplayName} does not get frontend {conflict.Frontend}: {conflict.Winner.DisplayName} has it, being older or, of the same "
        + "age, first by name. It takes over when that one goes.";

    private static string Describe(ServiceCidrConflict conflict) =>
        $"Service CIDR {conflict.Cidr} holds {conflict.NodeAddress}, an address of this node, and is not programmed: addresses of it that no "
        + "service has are not dropped. Give the node an address outside of it, or correct the ServiceCIDR.";

    private void Report(DesiredChanges changes, ApplyReport report, long start)
    {
        foreach (var conflict in changes.NewConflicts)
            logger.FrontendConflict(Describe(conflict));

        double milliseconds = time.GetElapsedTime(start).TotalMilliseconds;
        if (!_ranOnce)
        {
            logger.FirstSync(sync.ServicePortCount, sync.FrontendCount, sync.BackendCount, report.MapWrites, milliseconds);
            // Parsing everything once left far more garbage than any later change will: give the memory back to the node.
            GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
        else if (!changes.IsEmpty)
            logger.Synced(changes.Upserted.Count, changes.Removed.Count, report.MapWrites, milliseconds);
        _ranOnce = true;
    }
}
