// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using EbpfLb.Datapath.Loading;
using EbpfLb.Datapath.Maps;
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Datapath.Inspection;

/// <summary>A pinned map: what it is and how full.</summary>
/// <param name="Type">As bpftool spells it.</param>
/// <param name="Used">Null where nothing fills up, or the entries cannot be counted: socket storage, arrays of settings and counts.</param>
/// <param name="MemoryBytes">Null on kernels that do not say.</param>
public sealed record MapView(
    string Name, uint Id, string Type, uint KeySize, uint ValueSize, uint MaxEntries, ulong? Used, ulong? MemoryBytes, string PinPath)
{
    /// <summary>0 to 1.</summary>
    public double? Fill => Used is { } used && MaxEntries > 0 ? (double)used / MaxEntries : null;

    /// <summary>A new entry of a full map takes the place of the least recently used one, so being full is no fault.</summary>
    public bool EvictsLeastRecentlyUsed => Type == "lru_hash";

    /// <summary>What is in it, in a line.</summary>
    public string Meaning => Name switch
    {
        MapNames.Frontends => "what clients dial: address, port and protocol, and the service behind them",
        MapNames.Vips => "addresses that have a frontend, and whether it is a ClusterIP: its other ports are refused",
        MapNames.NodeAddresses => "addresses of this node, and which of them answer NodePorts",
        MapNames.ServiceCidrs => "ranges that ClusterIPs are taken from; what nobody has in them is dropped",
        MapNames.SourceRanges => "sources that services with loadBalancerSourceRanges admit",
        MapNames.Services => "service ports by family: algorithm, policies, ranges of slots",
        MapNames.Slots => "lists and Maglev tables of backends",
        MapNames.Backends => "endpoints that traffic goes to",
        MapNames.Affinity => "which backend a client of a service with session affinity is bound to",
        MapNames.SockPeers => "what each translated socket dialled, and the backend it was given",
        MapNames.SockFlows => "further destinations of unconnected UDP sockets",
        MapNames.Conntrack => "flows of packets, two entries each",
        MapNames.Fragments => "ports of datagrams that come in fragments",
        MapNames.Recent => "backends of openings that may be sent again",
        MapNames.Devices => "network devices: masquerading addresses, MTU, whether programs are attached",
        MapNames.Settings => "what the agent tells the programs: timeouts, port ranges",
        MapNames.Reasons => "packets that no flow decided, by hook and reason",
        MapNames.Counters => "connections, packets and bytes of backends",
        MapNames.ServiceCounters => "the same of backends that services had before",
        MapNames.ServiceNames => "names of services, for people",
        MapNames.Problems => "what is not programmed, and why",
        MapNames.Agent => "the state of the agent that wrote last",
        MapNames.Audit => "what the last audit of the agent found, and whether another is asked for",
        _ => "",
    };

    /// <summary>What a full map means to this node.</summary>
    public string WhenFull => Name switch
    {
        _ when EvictsLeastRecentlyUsed => "the least recently used entry goes",
        MapNames.NodeAddresses => "further addresses answer no NodePorts",
        MapNames.ServiceCidrs => "unused addresses of further ranges are not dropped",
        MapNames.Devices => "further devices are not used",
        MapNames.Counters or MapNames.ServiceCounters => "further backends are not counted",
        MapNames.Problems => "further problems are in the agent's log only",
        _ => "new services are refused",
    };

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
        BpfMapType.LpmTrie => "lpm_trie",
        BpfMapType.PercpuArray => "percpu_array",
        BpfMapType.SkStorage => "sk_storage",
        _ => type.ToString(),
    };

    private static ulong? CountUsed(BpfMap map, ILbMaps maps)
    {
        switch (map.Info)
        {
            case { Name: MapNames.Slots }:
                return (ulong)maps.Services.ReadAll().Sum(entry => (long)entry.Value.Cluster.Count + entry.Value.Local.Count);
            case { Type: BpfMapType.Hash or BpfMapType.LruHash or BpfMapType.LpmTrie }:
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
