// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Agent.Metrics;
using EbpfLb.Datapath.Audit;
using EbpfLb.Datapath.Loading;
using EbpfLb.Datapath.Status;
using EbpfLb.Datapath.Sync;
using EbpfLb.Linux;
using EbpfLb.Linux.Clocks;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Agent;

/// <summary>
/// Looks after what others may change behind the agent's back: pins and socket hooks every few seconds, the maps every few minutes and when
/// a command asks. The maps are read here and compared, and mended, by the reconcile loop, which alone knows what it wrote.
/// </summary>
/// <param name="read">The maps of services.</param>
/// <param name="putBack">Pins and socket hooks; what was missing.</param>
/// <param name="mendSettings">Whether settings had been changed.</param>
/// <param name="ofInstallation">What cannot be put in place.</param>
internal sealed class AuditLoop(
    Func<MapImage> read, Func<IReadOnlyList<Divergence>> putBack, Func<bool> mendSettings, Func<IReadOnlyList<Problem>> ofInstallation,
    IAuditRecord record, AuditMetrics metrics, AuditOptions options, TimeProvider time, ILogger<AuditLoop> logger)
{
    private Reading? _reading;
    private IReadOnlyList<Problem> _ofMaps = [];

    // Those of the start are in the log, and the first run shows them.
    private IReadOnlyList<Problem> _shown = ofInstallation();
    private HashSet<string> _told = new(StringComparer.Ordinal);
    private string? _failure;
    private bool _isUnrepaired;

    private sealed record Reading(MapImage Image, ulong Asked);

    /// <summary>What stays different, or foreign programs prevent. Any thread may read it.</summary>
    public IReadOnlyList<Problem> Problems => [.. Volatile.Read(ref _ofMaps), .. ofInstallation()];

    /// <summary>Told when maps were read and are to be compared, and after <see cref="Problems"/> changed.</summary>
    public Action? Wake { get; set; }

    public async Task RunAsync(CancellationToken stopping)
    {
        // The first look is after a start that read the maps and put everything in place. Whoever asked meanwhile waits for an answer.
        long auditedAt = time.GetTimestamp(), lookedAt = auditedAt;
        ulong seen = record.Answered;
        while (!stopping.IsCancellationRequested)
        {
            await Task.Delay(options.PollInterval, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stopping.IsCancellationRequested)
                return;

            ulong asked = record.Asked;
            if (asked != seen || time.GetElapsedTime(lookedAt) >= options.LookInterval)
            {
                lookedAt = time.GetTimestamp();
                Look();
            }

            var interval = Volatile.Read(ref _isUnrepaired) ? options.RetryInterval : options.Interval;
            if (asked == seen && time.GetElapsedTime(auditedAt) < interval)
                continue;

            auditedAt = time.GetTimestamp();
            if (Read(asked))
                seen = asked;
        }
    }

    /// <summary>In the task that owns the maps: compares what was read, if anything was, and mends.</summary>
    public void Compare(DatapathSync sync)
    {
        if (!sync.IsComplete || Interlocked.Exchange(ref _reading, null) is not { } reading)
            return;

        long start = time.GetTimestamp();
        var result = sync.Audit(reading.Image);
        var divergences = result.Divergences;
        if (mendSettings())
            divergences = [.. divergences, new Divergence(Datapath.Maps.MapNames.Settings, DivergenceKind.Changed, "flows", "")];
        var elapsed = time.GetElapsedTime(start);
        Tell(result);
        metrics.Ended(divergences.Count, result.Left.Count);
        record.Ended(reading.Asked, MonotonicClock.NowNs, divergences.Count, result.Left.Count);
        logger.Audited(divergences.Count, result.Left.Count, elapsed.TotalMilliseconds);
        Volatile.Write(ref _isUnrepaired, result.Left.Count > 0);
        Volatile.Write(ref _ofMaps, [.. result.Left.Take(options.LoggedDivergences).Select(left => new Problem(
            left.Divergence.Where, $"{left.Divergence}, and cannot be repaired: {left.Cause}. It is tried again every "
            + $"{options.RetryInterval.TotalSeconds:F0} seconds."))]);
    }

    // What was read waits until the reconcile loop knows all there is; it compares nothing before.
    internal bool Read(ulong asked)
    {
        try
        {
            Volatile.Write(ref _reading, new Reading(read(), asked));
            Wake?.Invoke();
            return true;
        }
        catch (Exception exception) when (exception is LinuxException or DatapathException)
        {
            Fail(exception.Message);
            return false;
        }
    }

    internal void Look()
    {
        try
        {
            var found = putBack();
            foreach (var divergence in found)
                logger.PutBack(divergence.ToString());
            metrics.PutBack(found.Count);
            record.PutBack(found.Count);
            _failure = null;
        }
        catch (Exception exception) when (exception is LinuxException or DatapathException or IOException or UnauthorizedAccessException)
        {
            Fail(exception.Message);
        }

        var problems = ofInstallation();
        if (problems.SequenceEqual(_shown))
            return;

        foreach (var problem in problems.Except(_shown))
            logger.HookRefused(problem.Message);
        _shown = problems;
        Wake?.Invoke();
    }

    // Once a cause.
    private void Fail(string cause)
    {
        if (cause != _failure)
            logger.AuditFailed(cause);
        _failure = cause;
    }

    private void Tell(AuditResult result)
    {
        var left = result.Left.DistinctBy(entry => entry.Divergence).ToDictionary();
        var told = new HashSet<string>(StringComparer.Ordinal);
        foreach (var divergence in result.Divergences.Take(options.LoggedDivergences))
        {
            if (!left.TryGetValue(divergence, out string? cause))
            {
                logger.Repaired(divergence.ToString());
                continue;
            }

            string text = divergence.ToString();
            told.Add(text);
            if (!_told.Contains(text))
                logger.NotRepaired(text, cause);
        }

        _told = told;
        if (result.Divergences.Count > options.LoggedDivergences)
            logger.MoreDiverged(result.Divergences.Count - options.LoggedDivergences);
    }
}
