// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Kubernetes.Api.Events;

/// <summary>What makes two reports one Event. The note is fit for the wire already.</summary>
internal readonly record struct EventKey(ObjectName Service, string Uid, EventSeverity Severity, string Reason, string Note);

/// <summary>An Event, and how much of it the API server knows. Owned by whoever holds the recorder's lock.</summary>
internal sealed class RecordedEvent(EventKey key, string name, long sequence, DateTimeOffset now)
{
    public EventKey Key { get; } = key;

    /// <summary>Orders Events that are due at one time.</summary>
    public long Sequence { get; } = sequence;

    /// <summary>Of the Event object.</summary>
    public string Name { get; set; } = name;

    public DateTimeOffset FirstObserved { get; } = now;

    public DateTimeOffset LastObserved { get; set; } = now;

    public int Count { get; set; } = 1;

    /// <summary>The count that the server has; 0 while it has no such object.</summary>
    public int SentCount { get; set; }

    public DateTimeOffset SentAt { get; set; }

    /// <summary>When there is something to send; the end of time when there is nothing.</summary>
    public DateTimeOffset DueAt { get; set; } = now;

    public int Tries { get; set; }

    public bool Exists => SentCount > 0;
}
