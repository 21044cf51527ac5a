// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Maps;
using EbpfLb.Datapath.Sync;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Inspection;

/// <summary>
/// The maps, read once and joined for people: what the commands print and the tests compare. Taken while the agent writes it may mix two
/// moments; <see cref="Inconsistencies"/> is meant for maps at rest.
/// </summary>
public sealed record DatapathSnapshot(
    IReadOnlyList<ServiceView> Services,
    IReadOnlyList<FrontendView> Frontends,
    IReadOnlyList<BackendView> Backends,
    IReadOnlyList<Address> Vips,
    IReadOnlyList<string> Inconsistencies)
{
    /// <summary>Ordered.</summary>
    public IReadOnlyList<AddressPrefix> ServiceCidrs { get; init; } = [];

    /// <summary>The ports in which programs look for a frontend of the unspecified address.</summary>
    public NodePortRange NodePorts { get; init; } = NodePortRange.None;

    public static DatapathSnapshot Read(ILbMaps maps)
    {
        ArgumentNullException.ThrowIfNull(maps);
        return new SnapshotReader(maps).Read();
    }

    private sealed class SnapshotReader(ILbMaps maps)
    {
        private readonly Dictionary<uint, ServiceNameValue> _names = new(maps.ServiceNames.ReadAll());
        private readonly Dictionary<uint, string> _nameTexts = [];
        private readonly Dictionary<uint, ServiceValue> _services = new(maps.Services.ReadAll());
        private readonly Dictionary<uint, BackendView> _backends = [];
        private readonly ILookup<uint, SourceRangeKey> _ranges =
            maps.SourceRanges.ReadAll().Select(entry => entry.Key).ToLookup(key => key.ServiceId);
        private readonly Dictionary<(uint ServiceId, BackendFlags List), int> _flagged = [];
        private readonly List<string> _inconsistencies = [];

        public DatapathSnapshot Read()
        {
            // Each text once: there are far more backends than services.
            foreach (var (id, value) in _names)
                _nameTexts[id] = value.Name.ToString();
            foreach (var (id, value) in maps.Backends.ReadAll())
            {
                _backends[id] = new BackendView(
                    id, value.Address, value.Port.Value, value.Protocol, value.Flags, value.ServiceId, NameOf(value.ServiceId));
                Count(value, BackendFlags.InCluster);
                Count(value, BackendFlags.InLocal);
                if (!_services.ContainsKey(value.ServiceId))
                    _inconsistencies.Add($"backend {id} belongs to service id {value.ServiceId}, which does not exist");
            }

            var frontends = maps.Frontends.ReadAll().Select(entry => Frontend(entry.Key, entry.Value)).OrderBy(Order).ToArray();
            var vipValues = maps.Vips.ReadAll().OrderBy(entry => entry.Key).ToArray();
            Address[] vips = [.. vipValues.Select(entry => entry.Key)];
            var nodePorts = maps.NodePorts.Range;
            CheckVips(frontends, vips);
            CheckVipFlags(frontends, vipValues);
            CheckNodePorts(frontends, nodePorts);
            CheckRanges();
            var byService = frontends.ToLookup(frontend => frontend.ServiceId);
            var services = _services
                .Select(entry => Service(entry.Key, entry.Value, [.. byService[entry.Key]]))
                .OrderBy(service => service.Name, StringComparer.Ordinal).ThenBy(service => service.Protocol)
                .ThenBy(service => service.Family).ThenBy(service => service.Id)
                .ToArray();
            CheckNames(services);
            CheckOverlaps();
            var backends = _backends.Values.OrderBy(backend => backend.ServiceName, StringComparer.Ordinal)
                .ThenBy(backend => backend.Address).ThenBy(backend => backend.Port).ThenBy(backend => backend.Id).ToArray();
            return new DatapathSnapshot(services, frontends, backends, vips, _inconsistencies)
            {
                ServiceCidrs = [.. maps.ServiceCidrs.ReadAll().Select(entry => Encoding.Prefix(entry.Key)).Order()],
                NodePorts = nodePorts,
            };
        }

        private static (Address Address, ushort Port, Protocol Protocol) Order(FrontendView frontend) =>
            (frontend.Address.Address, frontend.Address.Port, frontend.Address.Protocol);

        private void Count(in BackendValue backend, BackendFlags list)
        {
            if ((backend.Flags & list) != 0)
                _flagged[(backend.ServiceId, list)] = _flagged.GetValueOrDefault((backend.ServiceId, list)) + 1;
        }

        private string NameOf(uint serviceId) => _nameTexts.GetValueOrDefault(serviceId, "");

        private FrontendView Frontend(FrontendKey key, FrontendValue value)
        {
            var address = new FrontendAddress(key.Address, key.Port.Value, key.Protocol);
            if (!_services.ContainsKey(value.ServiceId))
                _inconsistencies.Add($"frontend {address} names service id {value.ServiceId}, which does not exist");
            return new FrontendView(address, value.ServiceId, NameOf(value.ServiceId), value.Flags);
        }

        private ServiceView Service(uint id, ServiceValue value, IReadOnlyList<FrontendView> frontends)
        {
            _names.TryGetValue(id, out var name);
            return new ServiceView(
                id, NameOf(id), name.Protocol, name.Family, value.Algorithm, value.AffinityTimeoutSeconds, value.Flags,
                value.Cluster, value.Local, frontends,
                List(id, value.Cluster, BackendFlags.InCluster), List(id, value.Local, BackendFlags.InLocal))
            {
                SourceRanges = [.. _ranges[id].Select(Encoding.Prefix).Order()],
            };
        }

        private BackendView[] List(uint serviceId, SlotRange range, BackendFlags flag)
        {
            if ((ulong)range.Base + range.Count > maps.Slots.Capacity)
            {
                _inconsistencies.Add($"service id {serviceId} names slots {range.Base} to {range.Base + (ulong)range.Count - 1}, "
                    + $"of {maps.Slots.Capacity}");
                return [];
            }

            var slots = new uint[range.Count];
            maps.Slots.Read(range.Base, slots);
            var list = new List<BackendView>();
            foreach (uint backendId in slots.Distinct())
            {
                if (!_backends.TryGetValue(backendId, out var backend))
                    _inconsistencies.Add($"service id {serviceId} has a slot for backend {backendId}, which does not exist");
                else if (backend.ServiceId != serviceId)
                    _inconsistencies.Add($"service id {serviceId} has a slot for backend {backendId} of service id {backend.ServiceId}");
                else
                    list.Add(backend);
                if (backend is not null && (backend.Flags & flag) == 0)
                    _inconsistencies.Add($"service id {serviceId} has a slot for backend {backendId}, which is not flagged {flag}");
            }

            int flagged = _flagged.GetValueOrDefault((serviceId, flag));
            if (flagged != list.Count)
                _inconsistencies.Add($"service id {serviceId} has {flagged} backends flagged {flag}, but {list.Count} in its slots");
            return [.. list.OrderBy(backend => backend.Address).ThenBy(backend => backend.Port)];
        }

        private void CheckVips(FrontendView[] frontends, Address[] vips)
        {
            var wanted = frontends.Select(frontend => frontend.Address.Address).Where(address => !address.IsAny).ToHashSet();
            foreach (var address in wanted.Except(vips))
                _inconsistencies.Add($"{address} has frontends but is missing from {MapNames.Vips}");
            foreach (var address in vips.Except(wanted))
                _inconsistencies.Add($"{address} stands in {MapNames.Vips} but has no frontend");
        }

        private void CheckVipFlags(FrontendView[] frontends, KeyValuePair<Address, VipValue>[] vips)
        {
            var clusterIPs = frontends.Where(frontend => frontend.Flags.HasFlag(FrontendFlags.ClusterIP))
                .Select(frontend => frontend.Address.Address).ToHashSet();
            foreach (var (address, vip) in vips.Where(vip => vip.Value.Flags.HasFlag(VipFlags.ClusterIP) != clusterIPs.Contains(vip.Key)))
                _inconsistencies.Add($"{address} has flags {vip.Flags} in {MapNames.Vips}, which its frontends do not say");
        }

        private void CheckNodePorts(FrontendView[] frontends, NodePortRange range)
        {
            foreach (var frontend in frontends.Where(frontend => frontend.Address.Address.IsAny && !range.Contains(frontend.Address.Port)))
                _inconsistencies.Add($"frontend {frontend.Address} is outside of the node ports {range.First} to {range.Last}");
        }

        private void CheckRanges()
        {
            foreach (var ranges in _ranges)
            {
                if (!_services.TryGetValue(ranges.Key, out var service))
                    _inconsistencies.Add($"service id {ranges.Key} has source ranges but does not exist");
                else if (!service.Flags.HasFlag(ServiceFlags.SourceRanges))
                    _inconsistencies.Add($"service id {ranges.Key} has source ranges but does not go by them");
            }

            foreach (var (id, service) in _services)
            {
                if (service.Flags.HasFlag(ServiceFlags.SourceRanges) && !_ranges.Contains(id))
                    _inconsistencies.Add($"service id {id} goes by source ranges but has none");
            }
        }

        private void CheckNames(ServiceView[] services)
        {
            foreach (var service in services.Where(service => service.Name.Length == 0))
                _inconsistencies.Add($"service id {service.Id} has no name");
            foreach (uint id in _names.Keys.Except(_services.Keys))
                _inconsistencies.Add($"service id {id} has a name but does not exist");
            foreach (var twins in services.Where(service => service.Name.Length > 0)
                .GroupBy(service => (service.Name, service.Protocol, service.Family)).Where(group => group.Count() > 1))
                _inconsistencies.Add($"{twins.Key.Name} has service ids {string.Join(" and ", twins.Select(twin => twin.Id))}");
        }

        private void CheckOverlaps()
        {
            ulong end = 0;
            foreach (var range in _services.Values.SelectMany(value => new[] { value.Cluster, value.Local })
                .Where(range => range.Count > 0).OrderBy(range => range.Base))
            {
                if (range.Base < end)
                    _inconsistencies.Add($"slots {range.Base} and following belong to two services");
                end = range.Base + (ulong)range.Count;
            }
        }
    }
}
