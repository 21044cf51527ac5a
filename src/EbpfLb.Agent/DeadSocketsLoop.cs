// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Threading.Channels;
using EbpfLb.Datapath.Sockets;
using EbpfLb.Datapath.Status;
using EbpfLb.Linux;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Agent;

/// <summary>Ends connected sockets whose backend has gone: when backends may have gone, when a grace is over, and now and then.</summary>
/// <param name="run">One look at all sockets.</param>
/// <param name="isComplete">
/// Whether the maps hold all that every source has told. Before that a backend that is missing may exist all the same.
/// </param>
/// <param name="untilNext">After a look: until the next grace is over. Null: none runs.</param>
internal sealed class DeadSocketsLoop(
    Func<DeadSocketsResult> run, Func<bool> isComplete, DeadSocketsOptions options, TimeProvider time, ILogger<DeadSocketsLoop> logger,
    Func<TimeSpan?>? untilNext = null)
{
    private readonly Channel<bool> _woken =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private Problem? _problem;
    private Errno _failed;

    /// <summary>What stays undone.</summary>
    public IReadOnlyList<Problem> Problems => Volatile.Read(ref _problem) is { } problem ? [problem] : [];

    /// <summary>Told after <see cref="Problems"/> changed.</summary>
    public Action? ProblemsChanged { get; set; }

    /// <summary>Told after each look, in the task that looks.</summary>
    public Action<DeadSocketsResult>? Looked { get; set; }

    /// <summary>Asks for a look now. Any number of calls within <see cref="DeadSocketsOptions.MinInterval"/> is one.</summary>
    public void Wake() => _woken.Writer.TryWrite(true);

    public async Task RunAsync(CancellationToken stopping)
    {
        bool woken = false;
        while (!stopping.IsCancellationRequested)
        {
            RunOnce();
            await Task.Delay(options.MinInterval, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            // A connect() that was given its backend before it went may have connected its socket after the look: so there is a second.
            woken = !woken && await WaitAsync(stopping).ConfigureAwait(false);
        }
    }

    internal void RunOnce()
    {
        if (!isComplete())
            return;

        try
        {
            long start = time.GetTimestamp();
            var result = run();
            double milliseconds = time.GetElapsedTime(start).TotalMilliseconds;
            _failed = Errno.None;
            if (result.Ended > result.OfTcp)
                logger.SocketsEnded(result.Ended - result.OfTcp, milliseconds);
            if (result.OfTcp > 0)
                logger.ConnectionsEnded(result.OfTcp, milliseconds);
            if (result.Ended == 0)
                logger.NoSocketsEnded(milliseconds);
            Looked?.Invoke(result);
            Show(DeadSocketsProblem.Of(result));
        }
        catch (LinuxException exception)
        {
            // Once a cause, not every time.
            if (exception.Errno != _failed)
                logger.SocketsNotEnded(exception.Message);
            _failed = exception.Errno;
        }
    }

    private void Show(Problem? problem)
    {
        if (problem == _problem)
            return;

        if (problem is not null)
            logger.SocketsProblem(problem.Message);
        Volatile.Write(ref _problem, problem);
        ProblemsChanged?.Invoke();
    }

    // Whether it was asked for.
    private async Task<bool> WaitAsync(CancellationToken stopping)
    {
        var longest = options.Interval - options.MinInterval;
        using var stopWaiting = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        Task[] reasons =
        [
            _woken.Reader.WaitToReadAsync(stopWaiting.Token).AsTask(),
            Task.Delay(untilNext?.Invoke() is { } next && next < longest ? next : longest, time, stopWaiting.Token),
        ];
        await Task.WhenAny(reasons).ConfigureAwait(false);
        await stopWaiting.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(reasons).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return _woken.Reader.TryRead(out _);
    }
}
