// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;

namespace EbpfLb.FakeApi.Store;

public enum EventType
{
    Added,
    Modified,
    Deleted,
    Bookmark,
    Error,
}

/// <summary>One change of one object.</summary>
/// <param name="Before">Null for a new object.</param>
/// <param name="After">Null for a deleted one.</param>
public sealed record StoreEvent(StoredObject? Before, StoredObject? After, long ResourceVersion)
{
    private readonly TaskCompletionSource<long> _written = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>When the change was made: nanoseconds of CLOCK_MONOTONIC.</summary>
    public long ChangedAt { get; } = Stopwatch.GetTimestamp();

    /// <summary>When the first watch began to send it: nanoseconds of CLOCK_MONOTONIC. Never, if nobody watches.</summary>
    public Task<long> Written => _written.Task;

    internal StoredObject? Deleted { get; } = After is null ? Before!.At(ResourceVersion) : null;

    internal void MarkWritten(long at) => _written.TrySetResult(at);

    /// <summary>What a watch with these selectors is told of it; null if nothing.</summary>
    internal (EventType Type, StoredObject Object)? SeenBy(Selection selection)
    {
        bool before = Before is not null && selection.Matches(Before);
        bool after = After is not null && selection.Matches(After);
        return (before, after) switch
        {
            (false, true) => (EventType.Added, After!),
            (true, true) => (EventType.Modified, After!),
            (true, false) => (EventType.Deleted, Deleted ?? Before!.At(ResourceVersion)),
            _ => null,
        };
    }
}
