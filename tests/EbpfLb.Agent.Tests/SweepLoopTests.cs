// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Linux;

namespace EbpfLb.Agent.Tests;

public sealed class SweepLoopTests
{
    private const uint MaxEntries = 1000;

    private readonly WarningLog<SweepLoop> _log = new();

    [Fact]
    public void A_map_that_fills_is_warned_about_once_and_again_only_after_it_was_half_empty()
    {
        ulong entries = 0;
        var loop = Loop(() => new SweepValue { Entries = entries, Expired = 10 });
        foreach (ulong now in new ulong[] { 10, 809, 810, 1000, 610, 1000, 609, 1000 })
        {
            entries = now;
            loop.RunOnce();
        }

        Assert.Equal(2, _log.Lines.Count);
        Assert.StartsWith("conntrack_v1 is 80 % full (1000 entries", _log.Lines[0], StringComparison.Ordinal);
        Assert.StartsWith("conntrack_v1 is 99 % full (1000 entries", _log.Lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public void The_last_sweep_is_there_for_who_asks()
    {
        var loop = Loop(() => new SweepValue { Entries = 7, Flows = 3 });
        Assert.Null(loop.Last);
        loop.RunOnce();
        Assert.Equal((7ul, 3ul, MaxEntries), (loop.Last!.Value.Entries, loop.Last.Value.Flows, loop.Last.MaxEntries));
    }

    [Fact]
    public void A_sweep_that_fails_is_told_of_once_and_keeps_the_loop_and_the_last_result()
    {
        var errno = Errno.None;
        var loop = Loop(() => errno == Errno.None ? new SweepValue { Entries = 1 } : throw new LinuxException("run program ct_sweep", errno));
        foreach (var now in new[] { Errno.None, Errno.ENOMEM, Errno.ENOMEM, Errno.EIO, Errno.None, Errno.EIO })
        {
            errno = now;
            loop.RunOnce();
        }

        Assert.Equal(3, _log.Lines.Count);
        Assert.Equal(1ul, loop.Last!.Value.Entries);
    }

    [Fact]
    public async Task A_sweep_that_is_asked_for_does_not_wait_for_its_turn()
    {
        int sweeps = 0;
        using var stop = new CancellationTokenSource();
        var loop = Loop(
            () =>
            {
                Interlocked.Increment(ref sweeps);
                return default;
            },
            new SweepOptions { Interval = TimeSpan.FromHours(1), MinInterval = TimeSpan.FromMilliseconds(1) });
        var running = loop.RunAsync(stop.Token);
        await Eventually.True(() => Volatile.Read(ref sweeps) == 1, "one at the start");
        loop.Wake();
        await Eventually.True(() => Volatile.Read(ref sweeps) == 2, "one that was asked for");
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task Sweeps_come_by_themselves()
    {
        int sweeps = 0;
        using var stop = new CancellationTokenSource();
        var loop = Loop(
            () =>
            {
                Interlocked.Increment(ref sweeps);
                return default;
            },
            new SweepOptions { Interval = TimeSpan.FromMilliseconds(2), MinInterval = TimeSpan.FromMilliseconds(1) });
        var running = loop.RunAsync(stop.Token);
        await Eventually.True(() => Volatile.Read(ref sweeps) > 3, "several");
        await stop.CancelAsync();
        await running;
    }

    private SweepLoop Loop(Func<SweepValue> sweep, SweepOptions? options = null) =>
        new(sweep, () => MaxEntries, options ?? new SweepOptions(), TimeProvider.System, _log);
}
