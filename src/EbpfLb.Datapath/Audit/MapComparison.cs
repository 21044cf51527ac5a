// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Maps;
using EbpfLb.Datapath.Sync;
using EbpfLb.LoadBalancing.Desired;

namespace EbpfLb.Datapath.Audit;

/// <summary>The maps against what services should make of them, without any memory of who wrote them.</summary>
public static class MapComparison
{
    /// <summary>What <paramref name="changes"/> make of empty maps of the same sizes.</summary>
    public static ILbMaps Expected(DesiredChanges changes, DatapathSyncOptions options, ILbMaps like)
    {
        ArgumentNullException.ThrowIfNull(like);
        var sizes = new Dictionary<string, uint>
        {
            [MapNames.Frontends] = like.Frontends.MaxEntries,
            [MapNames.Vips] = like.Vips.MaxEntries,
            [MapNames.ServiceCidrs] = like.ServiceCidrs.MaxEntries,
            [MapNames.SourceRanges] = like.SourceRanges.MaxEntries,
            [MapNames.Services] = like.Services.MaxEntries,
            [MapNames.Slots] = like.Slots.Capacity,
            [MapNames.Backends] = like.Backends.MaxEntries,
            [MapNames.Counters] = like.Counters.MaxEntries,
            [MapNames.ServiceCounters] = like.ServiceCounters.MaxEntries,
            [MapNames.ServiceNames] = like.ServiceNames.MaxEntries,
        };
        var maps = new InMemoryMaps(sizes);
        DatapathSync.Restore(maps, options, TimeProvider.System).Apply(changes, complete: true);
        return maps;
    }

    /// <summary>Ordered by map and key.</summary>
    public static IReadOnlyList<Divergence> Compare(ILbMaps expected, ILbMaps actual)
    {
        ArgumentNullException.ThrowIfNull(expected);
        ArgumentNullException.ThrowIfNull(actual);
        var wanted = CanonicalMaps.Read(expected).Entries;
        var found = CanonicalMaps.Read(actual).Entries;
        var divergences = new List<Divergence>();
        foreach (var ((map, key), (service, value)) in wanted)
        {
            if (!found.TryGetValue((map, key), out var entry))
                divergences.Add(new Divergence(map, DivergenceKind.Missing, key, service, value));
            else if (entry.Value != value)
                divergences.Add(new Divergence(map, DivergenceKind.Changed, key, service, value, entry.Value));
        }

        foreach (var ((map, key), (service, value)) in found)
        {
            if (!wanted.ContainsKey((map, key)))
                divergences.Add(new Divergence(map, DivergenceKind.Extra, key, service, "", value));
        }

        string[] order = [.. MapNames.All];
        return [.. divergences.OrderBy(found => Array.IndexOf(order, found.Where)).ThenBy(found => found.Key, StringComparer.Ordinal)];
    }
}
