// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using EbpfLb.Datapath.Loading;
using EbpfLb.Datapath.Maps;
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Datapath.Inspection;

/// <summary>A pinned map: what it is and how full.</summary>
/// <param name="Type">As bpftool spells it.</param>
/// <param name="Used">Null where nothing fills up, or the entries cannot be counted: socket storage, an array of one.</param>
/// <param name="MemoryBytes">Null on kernels that do not say.</param>
public sealed record MapView(
    string Name, uint Id, string Type, uint KeySize, uint ValueSize, uint MaxEntries, ulong? Used, ulong? MemoryBytes, string PinPath)
{
    /// <summary>0 to 1.</summary>
    public double? Fill => Used is { } used && MaxEntries > 0 ? (double)used / MaxEntries : null;

    /// <summary>A new entry of a full map takes the place of the least recently used one, so being full is no fault.</summary>
    public bool EvictsLeastRecentlyUsed => Type == "lru_hash";

    internal static IReadOnlyList<MapView> ReadAll(PinDirectory pins, ILbMaps maps)
    {
        var views = new List<MapView>();
        foreach (string name in MapNames.All)
        {
            if (!BpfMap.TryOpenPinned(pins.Map(name), out var map))
                continue;

            using (map)
            {
                var info = map.Info;
                views.Add(new MapView(
                    name, info.Id, TypeName(info.Type), info.KeySize, info.ValueSize, info.MaxEntries, CountUsed(map, maps),
                    ReadMemory(info.Id), pins.Map(name)));
            }
        }

        return views;
    }

    private static string TypeName(BpfMapType type) => type switch
    {
        BpfMapType.Hash => "hash",
        BpfMapType.Array => "array",
        BpfMapType.LruHash => "lru_hash",
        BpfMapType.SkStorage => "sk_storage",
        _ => type.ToString(),
    };

    private static ulong? CountUsed(BpfMap map, ILbMaps maps)
    {
        switch (map.Info)
        {
            case { Name: MapNames.Slots }:
                return (ulong)maps.Services.ReadAll().Sum(entry => (long)entry.Value.Cluster.Count + entry.Value.Local.Count);
            case { Type: BpfMapType.Hash or BpfMapType.LruHash }:
                ulong count = 0;
                map.ReadAll((_, _) => count++);
                return count;
            default:
                return null;
        }
    }

    // The kernel tells a map's memory in the fdinfo of any descriptor of it, and one is open.
    private static ulong? ReadMemory(uint id)
    {
        string wanted = string.Create(CultureInfo.InvariantCulture, $"map_id:\t{id}");
        foreach (string path in Directory.EnumerateFiles("/proc/self/fdinfo"))
        {
            try
            {
                string[] lines = File.ReadAllLines(path);
                if (lines.Contains(wanted)
                    && lines.FirstOrDefault(line => line.StartsWith("memlock:", StringComparison.Ordinal)) is { } line
                    && ulong.TryParse(line.AsSpan("memlock:".Length).Trim(), CultureInfo.InvariantCulture, out ulong bytes))
                    return bytes;
            }
            catch (IOException)
            {
                // Another thread closed the descriptor since the directory was read.
            }
        }

        return null;
    }
}
