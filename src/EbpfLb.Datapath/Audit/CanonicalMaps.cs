// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Inspection;
using EbpfLb.Datapath.Maps;
using EbpfLb.Datapath.Sync;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Audit;

/// <summary>
/// The maps of services as entries with names in place of ids, so that two of them can be compared whoever gave the ids: each entry of
/// each map, and for each service what its slots lead to, in their order. Ids stand in what belongs to no service.
/// </summary>
internal sealed class CanonicalMaps
{
    private readonly Dictionary<(string Map, string Key), (string Service, string Value)> _entries = [];
    private readonly Dictionary<uint, ServiceValue> _services;
    private readonly Dictionary<uint, BackendValue> _backends;
    private readonly Dictionary<uint, string> _names = [];
    private readonly ILbMaps _maps;

    private CanonicalMaps(ILbMaps maps)
    {
        _maps = maps;
        _services = maps.Services.ReadAll().ToDictionary();
        _backends = maps.Backends.ReadAll().ToDictionary();
    }

    public IReadOnlyDictionary<(string Map, string Key), (string Service, string Value)> Entries => _entries;

    public static CanonicalMaps Read(ILbMaps maps)
    {
        var reading = new CanonicalMaps(maps);
        reading.ReadServices();
        reading.ReadBackends();
        reading.ReadAddresses();
        return reading;
    }

    private void ReadServices()
    {
        foreach (var (id, name) in _maps.ServiceNames.ReadAll().OrderBy(entry => entry.Key))
        {
            if (!_services.ContainsKey(id))
                Add(MapNames.ServiceNames, $"id {id}", "", name.Name.ToString());
            else if (Encoding.TryKey(name, out var key))
                _names[id] = key.ToString();
        }

        foreach (var (id, service) in _services.OrderBy(entry => entry.Key))
        {
            string whose = NameOf(id);
            Add(MapNames.Services, whose, whose, Invariant(
                $"{service.Algorithm}, affinity {service.AffinityTimeoutSeconds} s, {service.Flags}, {service.Cluster.Count} and {service.Local.Count} slots"));
            Add(MapNames.Slots, $"{whose} cluster", whose, Table(id, service.Cluster));
            Add(MapNames.Slots, $"{whose} local", whose, Table(id, service.Local));
        }

        foreach (var (key, _) in _maps.SourceRanges.ReadAll())
            Add(MapNames.SourceRanges, $"{Encoding.Prefix(key)} of {NameOf(key.ServiceId)}", NameOf(key.ServiceId), "");
        foreach (var (id, _) in _maps.ServiceCounters.ReadAll().Where(entry => !_services.ContainsKey(entry.Key)))
            Add(MapNames.ServiceCounters, $"id {id}", "", "");
    }

    private void ReadBackends()
    {
        var counted = _maps.Counters.ReadAll().Select(entry => entry.Key).ToHashSet();
        foreach (var (id, backend) in _backends.OrderBy(entry => entry.Key))
        {
            string whose = NameOf(backend.ServiceId);
            string key = $"{new AddressPort(backend.Address, backend.Port.Value)} of {whose}";
            Add(MapNames.Backends, key, whose, $"{backend.Protocol.ToApiName()}, {backend.Flags}");
            if (counted.Remove(id))
                Add(MapNames.Counters, key, whose, "");
        }

        foreach (uint id in counted.Order())
            Add(MapNames.Counters, $"id {id}", "", "");
    }

    private void ReadAddresses()
    {
        foreach (var (key, value) in _maps.Frontends.ReadAll())
        {
            string whose = NameOf(value.ServiceId);
            Add(MapNames.Frontends, new FrontendAddress(key.Address, key.Port.Value, key.Protocol).ToString(), whose, $"{value.Flags} to {whose}");
        }

        foreach (var (address, value) in _maps.Vips.ReadAll())
            Add(MapNames.Vips, address.ToString(), "", value.Flags.ToString());
        foreach (var (key, _) in _maps.ServiceCidrs.ReadAll())
            Add(MapNames.ServiceCidrs, Encoding.Prefix(key).ToString(), "", "");
        var nodePorts = _maps.NodePorts.Range;
        Add(MapNames.Settings, "node ports", "", nodePorts.IsEmpty ? "none" : Invariant($"{nodePorts.First}-{nodePorts.Last}"));
    }

    // A second entry of one key is one that nobody expects.
    private void Add(string map, string key, string service, string value)
    {
        string unique = key;
        for (int number = 2; !_entries.TryAdd((map, unique), (service, value)); number++)
            unique = Invariant($"{key} ({number})");
    }

    private string NameOf(uint serviceId) =>
        _names.TryGetValue(serviceId, out string? name) ? name
        : _services.ContainsKey(serviceId) ? $"service id {serviceId}, which has no name" : $"service id {serviceId}, which does not exist";

    private string Table(uint serviceId, SlotRange range)
    {
        const int Shown = 8;
        if ((ulong)range.Base + range.Count > _maps.Slots.Capacity)
            return Invariant($"{range.Count} slots from {range.Base} on, outside of the map");

        var slots = new uint[range.Count];
        _maps.Slots.Read(range.Base, slots);
        string[] targets = [.. slots.Distinct().Select(slot => Target(serviceId, slot))];
        string text = string.Join(' ', targets.Take(Shown)) + (targets.Length > Shown ? Invariant($" and {targets.Length - Shown} more") : "");
        // A Maglev table names each backend often, and what is not shown counts as well.
        return slots.Length == targets.Length && targets.Length <= Shown
            ? text
            : Invariant($"{text}; {slots.Length} slots in the order {DigestOf(serviceId, slots)}");
    }

    private string Target(uint serviceId, uint backendId) =>
        !_backends.TryGetValue(backendId, out var backend) ? $"backend id {backendId}, which does not exist"
        : backend.ServiceId != serviceId ? $"{new AddressPort(backend.Address, backend.Port.Value)} of {NameOf(backend.ServiceId)}"
        : new AddressPort(backend.Address, backend.Port.Value).ToString();

    private string DigestOf(uint serviceId, uint[] slots)
    {
        ulong digest = 14695981039346656037;
        foreach (uint slot in slots)
        {
            foreach (char letter in Target(serviceId, slot))
                digest = (digest ^ letter) * 1099511628211;
        }

        return digest.ToString("x16", CultureInfo.InvariantCulture);
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
