// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Devices;
using EbpfLb.Datapath.Status;
using EbpfLb.Linux;
using EbpfLb.Linux.Netlink;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Agent;

/// <summary>The one task that owns <see cref="NodeNetwork"/>: events as they come, their consequences together.</summary>
/// <param name="changes">Subscribed to before the network was first read.</param>
/// <param name="looked">Told after each reading of everything, and when a device is attached, the first time.</param>
/// <param name="enter">Runs an action in the node's network namespace; null when the whole process is in it.</param>
/// <param name="failed">Told that the network cannot be followed, and with null that it can be again.</param>
internal sealed class NetworkFollower(
    IAsyncEnumerable<NetworkChange> changes, NodeNetwork network, NetworkFollowerOptions options, Action looked, TimeProvider time,
    ILogger<NetworkFollower> logger, Action<Action>? enter = null, Action<Problem?>? failed = null)
{
    private bool _toldAttached;
    private long _refreshedAt;
    private long _lookedAt;
    private long _pendingSince;
    private bool _isPending;
    private string? _failure;

    /// <summary>
    /// The first reading, before any event. If it fails for a cause that may pass, <see cref="RunAsync"/> does it again; without the rights
    /// it never succeeds.
    /// </summary>
    /// <exception cref="LinuxException">The kernel does not permit it.</exception>
    /// <exception cref="UnauthorizedAccessException">The file system does not permit it.</exception>
    public void Begin()
    {
        try
        {
            Enter(network.Refresh);
        }
        catch (Exception exception) when (exception is IOException or LinuxException { Errno: not (Errno.EPERM or Errno.EACCES) })
        {
            NoteFailure(exception);
        }
    }

    public async Task RunAsync(CancellationToken stopping)
    {
        _refreshedAt = _lookedAt = time.GetTimestamp();
        Tell(refreshed: true);
        var events = changes.GetAsyncEnumerator(stopping);
        await using (events.ConfigureAwait(false))
        {
            var next = events.MoveNextAsync().AsTask();
            while (!stopping.IsCancellationRequested)
            {
                var rest = UntilDue();
                if (rest <= TimeSpan.Zero)
                    RunDue();
                else if (next.IsCompleted || await IsReadyAsync(next, rest, stopping).ConfigureAwait(false))
                {
                    if (!await next.ConfigureAwait(false))
                        throw new InvalidOperationException("The kernel ended the subscription to changes of the network.");

                    Take(events.Current);
                    next = events.MoveNextAsync().AsTask();
                }
            }

            // The enumerator must not be disposed under a step that is still on its way; this one ends with the token.
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Take(NetworkChange change)
    {
        if (!network.Take(change) || _isPending)
            return;

        _isPending = true;
        _pendingSince = time.GetTimestamp();
    }

    private TimeSpan UntilDue()
    {
        var due = Sooner(
            options.RefreshInterval - time.GetElapsedTime(_refreshedAt), options.LookInterval - time.GetElapsedTime(_lookedAt));
        return _isPending ? Sooner(due, options.ApplyDelay - time.GetElapsedTime(_pendingSince)) : due;
    }

    private static TimeSpan Sooner(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private void RunDue()
    {
        try
        {
            bool refreshed = false;
            if (time.GetElapsedTime(_refreshedAt) >= options.RefreshInterval)
            {
                _refreshedAt = _lookedAt = time.GetTimestamp();
                _isPending = false;
                Enter(network.Refresh);
                refreshed = true;
            }
            else if (time.GetElapsedTime(_lookedAt) >= options.LookInterval)
            {
                _lookedAt = time.GetTimestamp();
                Enter(network.LookAgain);
            }
            else
            {
                _isPending = false;
                Enter(network.Apply);
            }

            Tell(refreshed);
            if (_failure is not null)
                failed?.Invoke(null);
            _failure = null;
        }
        catch (Exception exception) when (exception is LinuxException or IOException or UnauthorizedAccessException)
        {
            // Lists of a network that changes all the time, for instance. The next look or refresh tries again; told once a cause.
            NoteFailure(exception);
        }
    }

    private void NoteFailure(Exception exception)
    {
        if (exception.Message == _failure)
            return;

        _failure = exception.Message;
        logger.NetworkNotFollowed(exception.Message);
        failed?.Invoke(new Problem(
            "network",
            $"The network of this node cannot be followed: {exception.Message.TrimEnd('.')}. Packets are balanced by what was last known of "
            + "devices and addresses. It is tried again; if that goes on, remove the cause and restart the agent."));
    }

    private void Enter(Action action)
    {
        if (enter is null)
            action();
        else
            enter(action);
    }

    private void Tell(bool refreshed)
    {
        bool isFirst = !_toldAttached && network.AttachedDevices > 0;
        _toldAttached |= isFirst;
        if (refreshed || isFirst)
            looked();
    }

    private async Task<bool> IsReadyAsync(Task next, TimeSpan rest, CancellationToken stopping)
    {
        using var stopWaiting = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        await Task.WhenAny(next, Task.Delay(rest, time, stopWaiting.Token)).ConfigureAwait(false);
        await stopWaiting.CancelAsync().ConfigureAwait(false);
        return next.IsCompleted;
    }
}
