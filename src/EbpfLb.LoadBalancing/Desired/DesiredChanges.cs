// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.LoadBalancing.Desired;

/// <summary>What one update made different. Every list is ordered, so that two runs over the same objects do the same.</summary>
/// <param name="Upserted">Services that are new, or differ from what they were.</param>
/// <param name="Removed">Services that were desired and are gone.</param>
/// <param name="NewConflicts">Not there before the update. A conflict whose winner changes is a new one.</param>
/// <param name="ResolvedConflicts">There before the update and not after it.</param>
public sealed record DesiredChanges(
    IReadOnlyList<DesiredService> Upserted,
    IReadOnlyList<ObjectName> Removed,
    IReadOnlyList<FrontendConflict> NewConflicts,
    IReadOnlyList<FrontendConflict> ResolvedConflicts)
{
    /// <summary>All of them, ordered; null when they are as before.</summary>
    public EquatableArray<AddressPrefix>? ServiceCidrs { get; init; }

    /// <summary>There may be more, so none that was restored is deleted.</summary>
    public bool ServiceCidrsArePartial { get; init; }

    /// <summary>All of them, ordered; null when they are as before.</summary>
    public IReadOnlyList<ServiceCidrConflict>? ServiceCidrConflicts { get; init; }

    /// <summary>All of them, ordered; null when they are as before.</summary>
    public IReadOnlyList<KeptBackends>? Kept { get; init; }

    /// <summary>All of them, ordered; null when they are as before.</summary>
    public IReadOnlyList<FrontendRefusal>? Refusals { get; init; }

    public bool IsEmpty => Upserted.Count == 0 && Removed.Count == 0 && NewConflicts.Count == 0 && ResolvedConflicts.Count == 0
        && ServiceCidrs is null && ServiceCidrConflicts is null && Kept is null && Refusals is null;
}
