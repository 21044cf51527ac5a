// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Threading.Channels;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Maps;
using EbpfLb.Linux;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Agent;

/// <summary>Sweeps conntrack_v1 again and again, and at once when backends have gone.</summary>
/// <param name="sweep">One sweep.</param>
/// <param name="maxEntries">Of the map, which may grow.</param>
internal sealed class SweepLoop(
    Func<SweepValue> sweep, Func<uint> maxEntries, SweepOptions options, TimeProvider time, ILogger<SweepLoop> logger)
{
    private readonly Channel<bool> _woken =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private SweepResult? _last;
    private bool _nearlyFull;
    private Errno _failed;

    /// <summary>Null before the first one.</summary>
    public SweepResult? Last => Volatile.Read(ref _last);

    /// <summary>Told after each sweep, in the task that sweeps, what it did and how long it took.</summary>
    public Action<SweepValue, TimeSpan>? Swept { get; set; }

    /// <summary>Told after each sweep, in the task that sweeps, how full the map is with flows that were answered.</summary>
    public Action<MapFill>? Filled { get; set; }

    /// <summary>Asks for a sweep now. Any number of calls within <see cref="SweepOptions.MinInterval"/> is one sweep.</summary>
    public void Wake() => _woken.Writer.TryWrite(true);

    public async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            RunOnce();
            await Task.Delay(options.MinInterval, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await WaitAsync(stopping).ConfigureAwait(false);
        }
    }

    internal void RunOnce()
    {
        try
        {
            long start = time.GetTimestamp();
            var value = sweep();
            Swept?.Invoke(value, time.GetElapsedTime(start));
            _failed = Errno.None;
            Volatile.Write(ref _last, new SweepResult(value, maxEntries()));
            logger.Swept(value.Entries, value.Flows, value.HalfOpen, value.Expired, value.Orphans, value.Lost, value.Dead);
            NoteFill(value);
        }
        catch (LinuxException exception)
        {
            // Once a cause, not every five seconds.
            if (exception.Errno != _failed)
                logger.SweepFailed(exception.Message);
            _failed = exception.Errno;
        }
    }

    private async Task WaitAsync(CancellationToken stopping)
    {
        using var stopWaiting = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        Task[] reasons =
        [
            _woken.Reader.WaitToReadAsync(stopWaiting.Token).AsTask(),
            Task.Delay(options.Interval - options.MinInterval, time, stopWaiting.Token),
        ];
        await Task.WhenAny(reasons).ConfigureAwait(false);
        await stopWaiting.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(reasons).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _woken.Reader.TryRead(out _);
    }

    private void NoteFill(SweepValue value)
    {
        uint room = maxEntries();
        ulong entries = value.Entries - ulong.Min(value.Expired, value.Entries);
        // Two of a flow that was answered. An opening has one: a flood of them, which evicts itself, is no reason for a larger map.
        Filled?.Invoke(new MapFill(MapNames.Conntrack, 2 * (entries - ulong.Min(value.Flows, entries)), room));
        double fill = (double)entries / room;
        if (!_nearlyFull && fill >= options.WarnAt)
        {
            _nearlyFull = true;
            logger.ConntrackNearlyFull(100 * fill, room);
        }
        else if (_nearlyFull && fill < options.CalmBelow)
        {
            _nearlyFull = false;
        }
    }
}
