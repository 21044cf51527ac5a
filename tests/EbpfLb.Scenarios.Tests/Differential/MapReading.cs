// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Maps;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Scenarios.Tests.Differential;

/// <summary>
/// The maps as lines, read as a program reads them: from a frontend to its service entry, to the slots that names, to the backends they
/// name. Ids and the order of slots are left out. Every entry of every map is in some line.
/// </summary>
internal static class MapReading
{
    public static SortedSet<string> Read(ILbMaps maps)
    {
        var lines = new SortedSet<string>(StringComparer.Ordinal);
        var services = maps.Services.ReadAll().ToDictionary();
        var backends = maps.Backends.ReadAll().ToDictionary();
        var names = maps.ServiceNames.ReadAll().ToDictionary();
        var ranges = maps.SourceRanges.ReadAll().ToLookup(static entry => entry.Key.ServiceId, static entry => entry.Key);
        var named = new HashSet<uint>();

        string NameOf(uint id) => names.TryGetValue(id, out var name)
            ? $"{name.Name} {Upper(name.Protocol)} v{(int)name.Family}" : $"nameless service {id}";

        foreach (var (id, service) in services)
        {
            string List(SlotRange range)
            {
                uint[] slots = new uint[range.Count];
                maps.Slots.Read(range.Base, slots);
                named.UnionWith(slots);
                return string.Join(' ', slots.Distinct().Select(slot => Backend(backends, slot, id)).Order(StringComparer.Ordinal));
            }

            string lists = $"cluster [{List(service.Cluster)}] local [{List(service.Local)}]";
            uint[] keeping = [.. backends.Where(entry => entry.Value.ServiceId == id && IsInNoList(entry.Value)).Select(entry => entry.Key)];
            named.UnionWith(keeping);
            lines.Add($"service {NameOf(id)} {lists} "
                + $"keeps [{string.Join(' ', keeping.Select(one => Backend(backends, one, id)).Order(StringComparer.Ordinal))}] "
                + $"affinity {service.AffinityTimeoutSeconds} flags {service.Flags} "
                + $"admits [{string.Join(' ', ranges[id].Select(Range).Order(StringComparer.Ordinal))}]");
        }

        foreach (var (key, value) in maps.Frontends.ReadAll())
        {
            string owner = services.ContainsKey(value.ServiceId) ? NameOf(value.ServiceId) : $"missing service {value.ServiceId}";
            lines.Add($"frontend {Text(key.Address)} {key.Port.Value} {Upper(key.Protocol)} {value.Flags} of {owner}");
        }

        foreach (var (address, value) in maps.Vips.ReadAll())
            lines.Add($"vip {Text(address)} {value.Flags}");
        foreach (var (key, _) in maps.ServiceCidrs.ReadAll())
            lines.Add($"cidr {Text(key.Address)}/{Length(key.Address, key.PrefixBits)}");
        if (!maps.NodePorts.Range.IsEmpty)
            lines.Add($"node ports {maps.NodePorts.Range.First} {maps.NodePorts.Range.Last}");

        // Leftovers.
        foreach (uint id in backends.Keys.Where(id => !named.Contains(id)))
            lines.Add($"backend {id} is in no slot");
        foreach (uint id in names.Keys.Concat(ranges.Select(static group => group.Key)).Where(id => !services.ContainsKey(id)))
            lines.Add($"name or source ranges of missing service {id}");
        return lines;
    }

    private static bool IsInNoList(BackendValue backend) =>
        (backend.Flags & (LoadBalancing.Desired.BackendFlags.InCluster | LoadBalancing.Desired.BackendFlags.InLocal)) == 0;

    private static string Backend(Dictionary<uint, BackendValue> backends, uint id, uint serviceId)
    {
        if (!backends.TryGetValue(id, out var backend))
            return $"missing backend {id}";

        string text = $"{Text(backend.Address)}|{backend.Port.Value}";
        if (backend.Flags.HasFlag(LoadBalancing.Desired.BackendFlags.OnNode))
            text += "@";
        if (backend.Flags.HasFlag(LoadBalancing.Desired.BackendFlags.Terminating))
            text += "~";
        return backend.ServiceId == serviceId ? text : text + $" of service {backend.ServiceId}";
    }

    private static string Range(SourceRangeKey key) => $"{Text(key.Address)}/{Length(key.Address, key.PrefixBits - 32)}";

    private static uint Length(Address address, uint bits) => IsFour(address) ? bits - 96 : bits;

    private static bool IsFour(Address address) => Bytes(address) is [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ..];

    private static string Text(Address address) => new IPAddress(IsFour(address) ? Bytes(address)[12..] : Bytes(address)).ToString();

    private static byte[] Bytes(Address address)
    {
        byte[] bytes = new byte[16];
        address.CopyTo(bytes);
        return bytes;
    }

    private static string Upper(Protocol protocol) => protocol.ToString().ToUpperInvariant();
}
