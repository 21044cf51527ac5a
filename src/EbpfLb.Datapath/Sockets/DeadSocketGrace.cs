// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Sockets;

/// <summary>
/// Which dead sockets are to be ended now. A UDP socket at once: its backend will not answer. A connection when its backend has been
/// neither there nor heard for the grace: one that left its service and goes on answering keeps it.
/// </summary>
/// <param name="grace">Null: connections are left alone.</param>
public sealed class DeadSocketGrace(TimeSpan? grace, TimeProvider time)
{
    private Dictionary<ulong, Wait> _waiting = [];

    private readonly record struct Wait(uint Heard, long Since);

    /// <summary>Until the first of those that wait is due; null when none does.</summary>
    public TimeSpan? Next { get; private set; }

    /// <param name="dead">All of them: who is not in the list has its backend again, or is no more, and would begin anew.</param>
    public IReadOnlyList<DeadSocketValue> Due(IReadOnlyList<DeadSocketValue> dead)
    {
        ArgumentNullException.ThrowIfNull(dead);
        long now = time.GetTimestamp();
        var due = new List<DeadSocketValue>();
        var waiting = new Dictionary<ulong, Wait>();
        Next = null;
        foreach (var socket in dead)
        {
            if (socket.Protocol == Protocol.Udp)
            {
                due.Add(socket);
                continue;
            }

            if (grace is not { } whole)
                continue;

            if (!_waiting.TryGetValue(socket.Cookie, out var wait) || wait.Heard != socket.Heard)
                wait = new Wait(socket.Heard, now);
            // Also of one that is due: perhaps it cannot be ended now.
            waiting[socket.Cookie] = wait;
            var left = whole - time.GetElapsedTime(wait.Since, now);
            if (left <= TimeSpan.Zero)
                due.Add(socket);
            else if (Next is not { } next || left < next)
                Next = left;
        }

        _waiting = waiting;
        return due;
    }
}
