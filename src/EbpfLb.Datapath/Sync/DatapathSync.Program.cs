// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Maps;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Sync;

public sealed partial class DatapathSync
{
    /// <summary>A refused write, by map.</summary>
    private readonly record struct Refusal(string Map, uint MaxEntries, MapWrite Write);

    /// <param name="Frontends">That are programmed with the address.</param>
    /// <param name="ClusterIPs">Those of them that are ClusterIPs.</param>
    private readonly record struct VipUse(int Frontends, int ClusterIPs);

    private SyncFailure? ProgramService(DesiredService service)
    {
        if (!_programmed.TryGetValue(service.Name, out var ports))
            _programmed.Add(service.Name, ports = []);

        bool isNew = !ports.Exists(port => port.IsWhole);
        Refusal? refusal = null;
        var byKey = new Dictionary<ServicePortKey, ProgrammedPort>(ports.Count);
        foreach (var port in ports)
            byKey.TryAdd(port.Key, port);

        var kept = new HashSet<ProgrammedPort>();
        foreach (var desired in service.Ports)
        {
            if (!byKey.TryGetValue(desired.Key, out var port))
            {
                port = NewPort(desired.Key);
                byKey.Add(desired.Key, port);
                ports.Add(port);
            }

            kept.Add(port);
            if (!MayDie(port) && !desired.Backends.Any(static backend => IsListed(backend.Flags)) && port.Backends.Length > 0)
                continue; // Stays an orphan until every source has told all it has.

            port.IsOrphan = false;
            refusal = Worse(refusal, ProgramPort(port, desired));
        }

        // Frontends last, and only of a service that is there as a whole.
        if (refusal is null)
            refusal = ProgramFrontends(service, byKey);

        if (refusal is not { } refused)
        {
            // Only now: until the new ports serve, the old ones do.
            _dying.AddRange(ports.Where(port => !kept.Contains(port) && MayDie(port)));
            ports.RemoveAll(port => !kept.Contains(port) && MayDie(port));
            ports.ForEach(port => port.IsWhole = true);
            return null;
        }

        if (refused.Write.Error == MapError.Full)
            RollBack(ports);
        return Failure(service.Name, refused, isNew);
    }

    // A full map asks for a roll-back, whatever else was refused beside it.
    private static Refusal? Worse(Refusal? one, Refusal? other) => one?.Write.Error == MapError.Full ? one : other ?? one;

    private ProgrammedPort NewPort(ServicePortKey key)
    {
        var port = new ProgrammedPort(key, _serviceIds.Allocate());
        _maps.Ids.LastServiceId = _serviceIds.Last;
        _portById.Add(port.ServiceId, port);
        return port;
    }

    private Refusal? ProgramPort(ProgrammedPort port, DesiredPort desired)
    {
        var backends = new ProgrammedBackend[desired.Backends.Count];
        if (PutBackends(port, desired, backends) is { } refused)
            return refused;

        if (PutRanges(port, desired, out var ranges) is { } notRestricted)
            return notRestricted;

        var published = Published(port);
        if (WriteTable(desired, backends, BackendFlags.InCluster, published.Cluster, out var cluster, out ulong clusterSum) is { } noSlots)
            return noSlots;

        if (WriteTable(desired, backends, BackendFlags.InLocal, published.Local, out var local, out ulong localSum) is { } noLocalSlots)
        {
            FreeIfFresh(cluster, published.Cluster);
            return noLocalSlots;
        }

        if (PutService(port, Encoding.Service(desired, cluster, local)) is { } notFlipped)
        {
            FreeIfFresh(cluster, published.Cluster);
            FreeIfFresh(local, published.Local);
            return notFlipped;
        }

        _distrusted.Remove(port.ServiceId);
        port.TableSums = (clusterSum, localSum);
        // Published. What only the old tables named can go.
        if (cluster != published.Cluster)
            _slots.Free(published.Cluster);
        if (local != published.Local)
            _slots.Free(published.Local);
        PublishRanges(port, ranges);
        var gone = port.Backends;
        port.Backends = backends;
        foreach (var backend in gone.Concat(port.Staged))
        {
            if (Array.BinarySearch(backends, backend) is int index && (index < 0 || backends[index].Id != backend.Id))
            {
                DeleteBackend(backend.Id, desired.AffinityTimeoutSeconds > 0);
                _departed.Remember(port.Key, backend);
                _counters.MoveToService(backend.Id, port.ServiceId);
            }
        }

        port.Staged.Clear();
        AffinitySweepDue |= desired.AffinityTimeoutSeconds > 0 && desired.Backends.Any(static backend => !IsListed(backend.Flags));
        return null;
    }

    // The slots of a distrusted entry may be another service's: they are neither compared with nor given back.
    private ServiceValue Published(ProgrammedPort port)
    {
        _services.TryGet(port.ServiceId, out var value);
        return _distrusted.Contains(port.ServiceId) ? value with { Cluster = default, Local = default } : value;
    }

    // Transient refusals do not stop the others: the next try then finds most of the work done.
    private Refusal? PutBackends(ProgrammedPort port, DesiredPort desired, ProgrammedBackend[] backends)
    {
        Refusal? refusal = null;
        for (int i = 0; i < backends.Length; i++)
        {
            var backend = desired.Backends[i];
            if (!port.TryFindBackend(backend.Address, backend.Port, out uint id))
            {
                if (!_departed.TryTake(desired.Key, backend.Address, backend.Port, out id))
                {
                    id = _backendIds.Allocate();
                    _maps.Ids.LastBackendId = _backendIds.Last;
                }

                port.Staged.Add(new ProgrammedBackend(backend.Address, backend.Port, id));
            }

            backends[i] = new ProgrammedBackend(backend.Address, backend.Port, id);
            var write = _backends.Put(id, Encoding.Backend(backend, desired.Key.Protocol, port.ServiceId));
            if (write.Succeeded)
            {
                _counters.Create(id);
                continue;
            }

            refusal = new Refusal(MapNames.Backends, _backends.MaxEntries, write);
            if (write.Error == MapError.Full)
                break;
        }

        return refusal;
    }

    // The name first: a restored entry without one could belong to anybody.
    private Refusal? PutService(ProgrammedPort port, in ServiceValue value)
    {
        var write = _names.Put(port.ServiceId, Encoding.Name(port.Key));
        if (!write.Succeeded)
            return new Refusal(MapNames.ServiceNames, _names.MaxEntries, write);

        write = _services.Put(port.ServiceId, value);
        return write.Succeeded ? null : new Refusal(MapNames.Services, _services.MaxEntries, write);
    }

    private Refusal? WriteTable(
        DesiredPort desired, ProgrammedBackend[] backends, BackendFlags list, SlotRange published, out SlotRange range, out ulong sum)
    {
        uint[] table = Encoding.Table(desired, backends, list, _options.Maglev);
        sum = TableSum(table);
        range = published;
        if (published.Count == table.Length && Holds(published, table))
            return null;

        if (!_slots.TryAllocate((uint)table.Length, out range))
            return new Refusal(MapNames.Slots, _slots.Capacity, new MapWrite(MapError.Full, ""));

        if (table.Length > 0)
            _maps.Slots.Write(range.Base, table);
        return null;
    }

    private bool Holds(SlotRange range, uint[] table)
    {
        uint[] current = new uint[table.Length];
        _maps.Slots.Read(range.Base, current);
        return current.AsSpan().SequenceEqual(table);
    }

    private void FreeIfFresh(SlotRange range, SlotRange published)
    {
        if (range != published)
            _slots.FreeUnpublished(range);
    }

    private Refusal? ProgramFrontends(DesiredService service, Dictionary<ServicePortKey, ProgrammedPort> ports)
    {
        Refusal? refusal = null;
        foreach (var desired in service.Ports)
        {
            var port = ports[desired.Key];
            foreach (var frontend in desired.Frontends)
            {
                var key = Encoding.Key(frontend.Key);
                if (PutVip(key.Address, frontend.Kind) is { } noVip)
                {
                    refusal = Worse(refusal, noVip);
                    continue;
                }

                var write = PutFrontend(port, key, Encoding.Frontend(frontend, port.ServiceId));
                if (!write.Succeeded)
                    refusal = Worse(refusal, new Refusal(MapNames.Frontends, _frontends.MaxEntries, write));
            }
        }

        return refusal;
    }

    // The unspecified address is nobody's destination.
    private Refusal? PutVip(Address address, FrontendKind kind)
    {
        if (address.IsAny)
            return null;

        // What it is already it stays until its frontends are counted.
        _vips.TryGet(address, out var vip);
        if (kind.HasFlag(FrontendKind.ClusterIP))
            vip.Flags |= VipFlags.ClusterIP;
        var write = _vips.Put(address, vip);
        _touchedVips.Add(address);
        return write.Succeeded ? null : new Refusal(MapNames.Vips, _vips.MaxEntries, write);
    }

    private MapWrite PutFrontend(ProgrammedPort port, FrontendKey key, FrontendValue value)
    {
        WidenNodePortRange(key);
        bool known = _frontends.TryGet(key, out var before);
        var write = _frontends.Put(key, value);
        if (!write.Succeeded)
            return write;

        if (known)
            CountFrontend(key, before, -1);
        CountFrontend(key, value, 1);
        if (known && before.ServiceId == value.ServiceId)
            return write;

        // It may have been another service's until now.
        if (known && _portById.TryGetValue(before.ServiceId, out var former))
            former.Frontends.Remove(key);
        port.Frontends.Add(key);
        return write;
    }

    // The port is null when the frontend names a service id nobody knows.
    private void DeleteFrontend(ProgrammedPort? port, FrontendKey key)
    {
        _frontends.TryGet(key, out var value);
        if (!_frontends.Delete(key))
            return;

        port?.Frontends.Remove(key);
        CountFrontend(key, value, -1);
        _freed = true;
    }

    private void CountFrontend(FrontendKey key, in FrontendValue value, int by)
    {
        var vip = key.Address;
        if (vip.IsAny)
        {
            CountNodePort(key.Port.Value, by);
            return;
        }

        var (frontends, clusterIPs) = _vipUses.GetValueOrDefault(vip);
        var use = new VipUse(frontends + by, clusterIPs + (value.Flags.HasFlag(FrontendFlags.ClusterIP) ? by : 0));
        if (use.Frontends == 0)
            _vipUses.Remove(vip);
        else
            _vipUses[vip] = use;
        _touchedVips.Add(vip);
    }

    private void DeleteBackend(uint id, bool mayHaveAffinity)
    {
        _backends.Delete(id);
        _freed = true;
        AffinitySweepDue |= mayHaveAffinity;
    }

    // A map was full. A new service disappears as a whole, with what earlier tries left of it; of one that serves, what the tries added does.
    private void RollBack(List<ProgrammedPort> ports)
    {
        BuryDying();
        bool freedByOthers = _freed;
        foreach (var port in ports.ToArray())
        {
            foreach (var staged in port.Staged)
            {
                _backends.Delete(staged.Id);
                _departed.Remember(port.Key, staged);
                _counters.Drop(staged.Id);
            }

            port.Staged.Clear();
            DropStagedRanges(port);
            if (port.IsWhole)
                continue;

            ports.Remove(port);
            _dying.Add(port);
        }

        BuryDying();
        // What the roll-back itself freed is no reason to try again at once.
        _freed = freedByOthers;
    }

    // Frontends, then the entry, and only then what it names. Whatever cannot be deleted now keeps the port in the list.
    private void BuryDying()
    {
        _dying.RemoveAll(port =>
        {
            if (!MayDie(port))
                return false;

            foreach (var key in port.Frontends.ToArray())
                DeleteFrontend(port, key);
            if (port.Frontends.Count > 0)
                return false;

            var published = Published(port);
            if (!_services.Delete(port.ServiceId))
                return false;

            _names.Delete(port.ServiceId);
            PublishRanges(port, NoRanges);
            foreach (var backend in port.Backends.Concat(port.Staged))
            {
                DeleteBackend(backend.Id, published.AffinityTimeoutSeconds > 0);
                _departed.Remember(port.Key, backend);
                _counters.Drop(backend.Id);
            }

            _counters.DropService(port.ServiceId);
            _slots.Free(published.Cluster);
            _slots.Free(published.Local);
            _portById.Remove(port.ServiceId);
            _distrusted.Remove(port.ServiceId);
            _freed = true;
            return true;
        });
    }

    private static SyncFailure Failure(ObjectName service, Refusal refused, bool isAbsent)
    {
        string state = isAbsent ? "is not programmed" : "keeps its last version";
        string message = refused.Write.Error switch
        {
            MapError.Full => $"{service} {state}: {refused.Map} is full ({refused.MaxEntries} entries). "
                + $"Raise it with --map-size {refused.Map}=ENTRIES, or delete services.",
            MapError.OutOfMemory => $"{service} {state}: {refused.Map} cannot grow (ENOMEM). "
                + "The kernel or the agent's memory cgroup is out of memory; tried again by itself.",
            _ => $"{service} {state}: a write to {refused.Map} failed ({refused.Write.ErrnoName}); tried again by itself.",
        };
        return new SyncFailure(service, refused.Map, refused.Write.Error, isAbsent, message);
    }
}
