// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.LoadBalancing.State;

/// <param name="State">Until every source has listed: as it was last handed out.</param>
/// <param name="Dirty">
/// Services that may be different, that are new or gone. Some may turn out to be as before. Owned by the receiver.
/// </param>
/// <param name="IsComplete">False while a source has not told all it has: what is missing from the state may exist all the same.</param>
/// <param name="IsListed">False until every source has listed once: then nothing else here means anything yet.</param>
public sealed record ClusterDelta(ClusterState State, IReadOnlySet<ObjectName> Dirty, bool IsComplete, bool IsListed)
{
    /// <summary>When what the changed slices tell happened, one for each slice that says so. A slice that is as it was has none.</summary>
    public IReadOnlyList<ChangeTrigger> Triggers { get; init; } = [];

    /// <summary>Services that came, changed or went, each as often as it did.</summary>
    public int ServiceChanges { get; init; }

    /// <summary>Slices that came, changed or went, each as often as they did.</summary>
    public int SliceChanges { get; init; }
}

/// <param name="Family">Of the slice.</param>
/// <param name="At">By the clock of whoever wrote the slice.</param>
public readonly record struct ChangeTrigger(AddressFamily Family, DateTimeOffset At);
