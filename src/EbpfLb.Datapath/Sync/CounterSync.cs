// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Audit;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Maps;

namespace EbpfLb.Datapath.Sync;

/// <summary>
/// Keeps an entry in counters_v1 for each backend and moves what a backend counted to its service when it goes. Best effort: a service
/// is served without, and what a kill cuts short is lost rather than counted twice. Owned by <see cref="DatapathSync"/>.
/// </summary>
/// <remarks>Programs add to counters_v1 all the time, so only its keys are remembered here. svc_counters_v1 is the agent's alone.</remarks>
internal sealed class CounterSync(ILbMaps maps)
{
    private readonly IBpfMap<uint, CountersValue> _map = maps.Counters;
    private readonly MapView<uint, CountersValue> _services = new(maps.ServiceCounters);
    private readonly HashSet<uint> _counted = [];
    private readonly HashSet<uint> _uncounted = [];

    // Backends that went while their entry could not be deleted, and the service that gets what they counted; 0 for none.
    private readonly Dictionary<uint, uint> _leaving = [];

    // What services have still to get.
    private readonly Dictionary<uint, CountersValue> _owed = [];
    private long _writes;
    private bool _full;
    private bool _servicesFull;

    /// <summary>Backends without an entry: nobody sees their traffic.</summary>
    public int Uncounted => _uncounted.Count;

    public long Writes => _writes + _services.Writes;

    /// <summary>Those without an entry count as well: they want one.</summary>
    public IEnumerable<MapFill> Fills => [new(_map.Name, (ulong)(_counted.Count + _uncounted.Count), _map.MaxEntries), _services.Fill];

    /// <summary>Something failed that trying again may mend. That a map is full does not count: others have to make room first.</summary>
    public bool HasLeftovers => (_uncounted.Count > 0 && !_full) || _leaving.Count > 0 || (_owed.Count > 0 && !_servicesFull)
        || _services.Undeleted.Count > 0;

    /// <summary>Entries that nobody has are deleted; those of living backends stay as they are.</summary>
    public void Restore(IEnumerable<uint> backends, Func<uint, bool> isService)
    {
        _uncounted.UnionWith(backends);
        foreach (var (id, _) in _map.ReadAll())
        {
            _counted.Add(id);
            if (!_uncounted.Remove(id))
                Drop(id);
        }

        _services.Load();
        foreach (uint id in _services.Entries.Keys.Where(id => !isService(id)).ToArray())
            _services.Delete(id);
    }

    /// <summary>Tries once; <see cref="TryAgain"/> does the rest.</summary>
    public void Create(uint backend)
    {
        // One that comes back before its entry could be deleted goes on with it.
        _leaving.Remove(backend);
        if (!_counted.Contains(backend) && !_uncounted.Contains(backend))
            Put(backend);
    }

    /// <summary>The backend has gone; its service has what it counted.</summary>
    public void MoveToService(uint backend, uint service) => Remove(backend, service);

    /// <summary>The backend has gone, and what it counted means nothing any more.</summary>
    public void Drop(uint backend) => Remove(backend, service: 0);

    public void DropService(uint service)
    {
        _owed.Remove(service);
        foreach (uint backend in _leaving.Where(entry => entry.Value == service).Select(entry => entry.Key).ToArray())
            _leaving[backend] = 0;
        _services.Delete(service);
    }

    /// <summary>Counters of backends that are missing, or nobody's; those that count already are left alone.</summary>
    public IReadOnlyList<MapDrift<uint>> Drifted(IReadOnlyList<uint> read)
    {
        var drifted = new List<MapDrift<uint>>();
        int known = 0;
        foreach (uint id in read)
        {
            if (_counted.Contains(id))
                known++;
            else if (_map.TryGet(id, out _))
                drifted.Add(new MapDrift<uint>(id, DivergenceKind.Extra));
        }

        if (known >= _counted.Count)
            return drifted;

        var seen = read.ToHashSet();
        drifted.AddRange(_counted
            .Where(id => !seen.Contains(id) && !_map.TryGet(id, out _)).Select(id => new MapDrift<uint>(id, DivergenceKind.Missing)));
        return drifted;
    }

    public MapWrite Mend(uint backend)
    {
        _writes++;
        return _counted.Contains(backend) ? _map.Put(backend, default) : _map.Delete(backend);
    }

    public IReadOnlyList<MapDrift<uint>> DriftedServices(IReadOnlyList<KeyValuePair<uint, CountersValue>> read) => _services.Drifted(read);

    public MapWrite MendService(uint service) => _services.Mend(service);

    public void TryAgain()
    {
        foreach (var (backend, service) in _leaving.ToArray())
            Remove(backend, service);
        _services.DeleteAgain();
        foreach (uint service in _owed.Keys.ToArray())
            Pay(service);
        _full = false;
        foreach (uint backend in _uncounted.ToArray())
        {
            Put(backend);
            if (_full)
                break;
        }
    }

    private void Put(uint backend)
    {
        _writes++;
        var write = _map.Put(backend, default);
        if (write.Succeeded)
        {
            _counted.Add(backend);
            _uncounted.Remove(backend);
            return;
        }

        _uncounted.Add(backend);
        _full = write.Error == MapError.Full;
    }

    // Read, delete, add: after a kill between any two of them nothing is there twice.
    private void Remove(uint backend, uint service)
    {
        _uncounted.Remove(backend);
        if (!_counted.Contains(backend))
            return;

        CountersValue counted = default;
        if (service != 0)
            _map.TryGet(backend, out counted);
        _writes++;
        if (!_map.Delete(backend).Succeeded)
        {
            _leaving[backend] = service;
            return;
        }

        _leaving.Remove(backend);
        _counted.Remove(backend);
        if (counted != default)
        {
            _owed[service] = _owed.GetValueOrDefault(service).Plus(counted);
            Pay(service);
        }
    }

    private void Pay(uint service)
    {
        _services.TryGet(service, out var paid);
        var write = _services.Put(service, paid.Plus(_owed[service]));
        if (write.Succeeded)
            _owed.Remove(service);
        _servicesFull = write.Error == MapError.Full;
    }
}
