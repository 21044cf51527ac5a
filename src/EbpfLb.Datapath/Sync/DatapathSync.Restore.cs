// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Maps;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Sync;

public sealed partial class DatapathSync
{
    /// <summary>What <see cref="Restore"/> found that no orderly writer leaves behind; each was dealt with.</summary>
    public IReadOnlyList<string> RestoreFindings => _restoreFindings;

    private readonly List<string> _restoreFindings = [];

    /// <summary>Reads the maps and takes over what is there: ids, tables, frontends. Deletes nothing but what no program can reach.</summary>
    public static DatapathSync Restore(ILbMaps maps, DatapathSyncOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(maps);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        var sync = new DatapathSync(maps, options, time);
        sync.RestoreViews();
        sync.RestorePorts();
        sync.RestoreBackends();
        sync.RestoreRanges();
        sync._counters.Restore(sync._backends.Entries.Keys.Except(sync._backends.Undeleted), sync._portById.ContainsKey);
        sync.RestoreFrontends();
        sync.FitNodePortRange();
        sync.RestoreSlots();
        return sync;
    }

    /// <summary>Where the entries of a service send to: right after <see cref="Restore"/>, where an earlier run did.</summary>
    public IReadOnlyDictionary<ServicePortKey, EquatableArray<Backend>> ProgrammedBackends(ObjectName service)
    {
        var backends = new Dictionary<ServicePortKey, EquatableArray<Backend>>();
        foreach (var port in _programmed.GetValueOrDefault(service) ?? [])
            backends.TryAdd(port.Key, port.Backends.Select(Read).ToEquatableArray());
        return backends;

        Backend Read(ProgrammedBackend backend)
        {
            _backends.TryGet(backend.Id, out var value);
            return new Backend(backend.Address, backend.Port, value.Flags);
        }
    }

    private void RestoreViews()
    {
        _frontends.Load();
        _vips.Load();
        _services.Load();
        _backends.Load();
        _names.Load();
        _ranges.Load();
        _cidrs.Load();
        _serviceIds = new IdAllocator(id => _services.Contains(id) || _names.Contains(id), _maps.Ids.LastServiceId);
        _backendIds = new IdAllocator(_backends.Contains, _maps.Ids.LastBackendId);
    }

    // A name is written before its service and deleted after it, so a service without one is not ours to understand, and a name
    // without a service is the trace of an agent that was killed between the two.
    private void RestorePorts()
    {
        var named = new HashSet<uint>(_frontends.Entries.Values.Select(value => value.ServiceId));
        var keys = new HashSet<ServicePortKey>();
        foreach (var (id, value) in _names.Entries.OrderByDescending(entry => named.Contains(entry.Key)).ThenBy(entry => entry.Key).ToArray())
        {
            if (!_services.Contains(id))
            {
                _names.Delete(id);
                continue;
            }

            if (!Encoding.TryKey(value, out var key))
            {
                RestoreNameless(id);
                continue;
            }

            // Two ids of one key: an agent was killed while it replaced one. The one with frontends comes first and is used; the other
            // serves what still leads to it until its frontends are written anew.
            if (!keys.Add(key))
                _restoreFindings.Add($"service id {id} is a second entry of its service port");
            var port = new ProgrammedPort(key, id) { IsOrphan = true };
            _portById.Add(id, port);
            if (!_programmed.TryGetValue(key.Service, out var ports))
                _programmed.Add(key.Service, ports = []);
            ports.Add(port);
        }

        foreach (uint id in _services.Entries.Keys.Where(id => !_names.Contains(id)).ToArray())
            RestoreNameless(id);
    }

    private void RestoreNameless(uint id)
    {
        _restoreFindings.Add($"service id {id} has no legible name");
        var port = new ProgrammedPort(default, id) { IsOrphan = true };
        _portById.Add(id, port);
        _dying.Add(port);
    }

    private void RestoreBackends()
    {
        foreach (var group in _backends.Entries.GroupBy(entry => entry.Value.ServiceId).ToArray())
        {
            if (!_portById.TryGetValue(group.Key, out var port))
            {
                foreach (var (id, _) in group)
                    _backends.Delete(id);
                continue;
            }

            var backends = group
                .Select(entry => new ProgrammedBackend(entry.Value.Address, entry.Value.Port.Value, entry.Key))
                .Order()
                .ToArray();

            // Two equal ones are the trace of an agent killed before a flip; the next flip names one of them and deletes the other.
            port.Backends = backends;
        }
    }

    private void RestoreFrontends()
    {
        foreach (var (key, value) in _frontends.Entries.ToArray())
        {
            CountFrontend(key, value, 1);
            if (_portById.TryGetValue(value.ServiceId, out var port))
            {
                port.Frontends.Add(key);
                port.IsWhole = true;
                continue;
            }

            // It refuses everything it is dialled for; whoever wants it will write it anew.
            _restoreFindings.Add($"frontend {key.Address}:{key.Port} names service id {value.ServiceId}, which does not exist");
            DeleteFrontend(null, key);
        }

        _touchedVips.UnionWith(_vips.Entries.Keys);
    }

    private void RestoreSlots()
    {
        var refused = new HashSet<SlotRange>();
        var ranges = _services.Entries.Values.SelectMany(value => new[] { value.Cluster, value.Local });
        _slots.Reserve(ranges, range => refused.Add(range));
        if (refused.Count == 0)
            return;

        // Programs read such a range until the service is written to a fresh one, as soon as it is desired; this agent never gives it back.
        foreach (var (id, value) in _services.Entries.ToArray())
        {
            if (!refused.Contains(value.Cluster) && !refused.Contains(value.Local))
                continue;

            _restoreFindings.Add($"service id {id} names slots that lie outside the map or are another service's");
            _distrusted.Add(id);
        }
    }
}
