// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Maps;
using EbpfLb.Linux.Bpf;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Inspection;

/// <summary>What the packet path has counted since its maps were made.</summary>
/// <param name="Reasons">By hook, then by number; those that never occurred as well.</param>
/// <param name="Services">By name; every service, and what is counted for one that is gone.</param>
/// <param name="Backends">By service, then by address.</param>
public sealed record CountersView(
    IReadOnlyList<ReasonCount> Reasons, IReadOnlyList<ServiceCounters> Services, IReadOnlyList<BackendCounters> Backends)
{
    public static CountersView Read(KernelMaps maps)
    {
        ArgumentNullException.ThrowIfNull(maps);

        // Counters first: a backend that is written meanwhile is then found. One that is removed meanwhile is added to its service before
        // it goes, so it may count twice in what is read here, never in the maps.
        var former = new Dictionary<uint, CountersValue>(maps.ServiceCounters.ReadAll());
        var counters = new Dictionary<uint, CountersValue>(maps.Counters.ReadAll());
        var names = new BackendNames(maps);
        BackendCounters[] backends = [.. counters.Select(entry => new BackendCounters(entry.Key, names.Find(entry.Key), entry.Value))
            .OrderBy(view => view.Backend?.ServiceName, StringComparer.Ordinal).ThenBy(view => view.Backend?.Address)
            .ThenBy(view => view.Backend?.Port).ThenBy(view => view.BackendId)];
        return new CountersView(ReadReasons(maps), SumByService(former, backends, names), backends);
    }

    /// <summary>Without looking at any service.</summary>
    public static IReadOnlyList<ReasonCount> ReadReasons(KernelMaps maps)
    {
        ArgumentNullException.ThrowIfNull(maps);
        return ReadReasons(maps.Reasons);
    }

    private static ServiceCounters[] SumByService(
        Dictionary<uint, CountersValue> former, IEnumerable<BackendCounters> backends, BackendNames names)
    {
        var sums = new Dictionary<uint, CountersValue>(former);
        foreach (uint id in names.ServiceIds)
            sums.TryAdd(id, default);
        foreach (var view in backends)
        {
            if (view.Backend is { } backend)
                sums[backend.ServiceId] = sums.GetValueOrDefault(backend.ServiceId).Plus(view.Counters);
        }

        return
        [
            .. sums.Select(entry => new ServiceCounters(
                    entry.Key, names.NameOf(entry.Key), names.FindService(entry.Key)?.Protocol, names.FindService(entry.Key)?.Family,
                    entry.Value))
                .OrderBy(view => view.ServiceName, StringComparer.Ordinal).ThenBy(view => view.Protocol).ThenBy(view => view.Family)
                .ThenBy(view => view.ServiceId),
        ];
    }

    private static List<ReasonCount> ReadReasons(BpfMap map)
    {
        // The map says how many reasons a hook has: the one that was pinned first may be of another version.
        uint reasons = map.Info.MaxEntries / (uint)Enum.GetValues<Hook>().Length;
        var counts = new List<ReasonCount>();
        map.ReadAll((key, value) =>
        {
            uint index = MemoryMarshal.Read<uint>(key);
            ulong packets = 0, bytes = 0;
            foreach (var count in MemoryMarshal.Cast<byte, CountValue>(value))
            {
                packets += count.Packets;
                bytes += count.Bytes;
            }

            counts.Add(new ReasonCount((Hook)(index / reasons), (Reason)(index % reasons), packets, bytes));
        });
        counts.Sort((left, right) => (left.Hook, left.Reason).CompareTo((right.Hook, right.Reason)));
        return counts;
    }
}

/// <summary>Packets that had another fate than to be translated by their flow.</summary>
public sealed record ReasonCount(Hook Hook, Reason Reason, ulong Packets, ulong Bytes);

/// <summary>The counters of a service's backends, and of those it had before.</summary>
/// <param name="ServiceName">Empty when the maps do not know it; then protocol and family are null.</param>
public sealed record ServiceCounters(
    uint ServiceId, string ServiceName, Protocol? Protocol, AddressFamily? Family, CountersValue Counters);

/// <param name="Backend">Null when it is gone.</param>
public sealed record BackendCounters(uint BackendId, BackendView? Backend, CountersValue Counters);
