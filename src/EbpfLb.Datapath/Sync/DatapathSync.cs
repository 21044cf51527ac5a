// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Maps;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Sync;

/// <summary>
/// Brings the maps to the desired services: ordered, idempotent, and each service for itself. Owned by one task; nothing here is
/// thread-safe.
/// </summary>
/// <remarks>
/// The order of one <see cref="Apply"/>, and why:
/// <list type="number">
/// <item>frontends nobody wants any more are deleted: nothing can enter what is about to go;</item>
/// <item>per service: backends with their counters, source ranges, a fresh range of slots, then the service entry that names the range
/// and says whether source ranges count (the flip), then what only the last entry went by goes, then its frontends; before one of the
/// unspecified address comes, the range of node ports grows to hold it. A program always finds what the entry before it names;</item>
/// <item>services nobody wants any more go: entry, name, source ranges, backends; their slots rest before they are given again;</item>
/// <item>services that found a map full are tried once more if anything was freed, or a map has grown;</item>
/// <item>the range of node ports shrinks to what is left.</item>
/// </list>
/// Memory changes only after the write it records, so a failed write leaves work to do and nothing else.
/// </remarks>
public sealed partial class DatapathSync
{
    private readonly ILbMaps _maps;
    private readonly DatapathSyncOptions _options;
    private readonly MapView<FrontendKey, FrontendValue> _frontends;
    private readonly MapView<Address, VipValue> _vips;
    private readonly MapView<uint, ServiceValue> _services;
    private readonly MapView<uint, BackendValue> _backends;
    private readonly MapView<uint, ServiceNameValue> _names;
    private readonly MapView<SourceRangeKey, SourceRangeValue> _ranges;
    private readonly MapView<ServiceCidrKey, ServiceCidrValue> _cidrs;
    private readonly CounterSync _counters;
    private readonly SlotAllocator _slots;
    private readonly Dictionary<ObjectName, List<ProgrammedPort>> _programmed = [];
    private readonly Dictionary<uint, ProgrammedPort> _portById = [];
    private readonly Dictionary<ObjectName, DesiredService> _desired = [];
    private readonly Dictionary<FrontendKey, ServicePortKey> _desiredFrontends = [];
    private readonly Dictionary<Address, VipUse> _vipUses = [];
    private readonly HashSet<Address> _touchedVips = [];
    private readonly Dictionary<ObjectName, SyncFailure> _failures = [];
    private readonly List<ProgrammedPort> _dying = [];
    private readonly HashSet<uint> _distrusted = [];
    private readonly DepartedBackends _departed = new();
    private IdAllocator _serviceIds = null!;
    private IdAllocator _backendIds = null!;
    private bool _complete;
    private bool _completed;
    private bool _freed;
    private ulong _room;
    private int _outsideV4;
    private int _outsideV6;

    private DatapathSync(ILbMaps maps, DatapathSyncOptions options, TimeProvider time)
    {
        _maps = maps;
        _options = options;
        _frontends = new(maps.Frontends);
        _vips = new(maps.Vips);
        _services = new(maps.Services);
        _backends = new(maps.Backends);
        _names = new(maps.ServiceNames);
        _ranges = new(maps.SourceRanges);
        _cidrs = new(maps.ServiceCidrs);
        _counters = new(maps);
        _slots = new(maps.Slots.Capacity, options.SlotGrace, time);
        _room = Room;
    }

    /// <summary>
    /// Whether an <see cref="Apply"/> that knew all there is has ended. From then on a backend that is missing is gone. Read by any task.
    /// </summary>
    public bool IsComplete => Volatile.Read(ref _completed);

    /// <summary>Service ids in the maps: one per service port and family.</summary>
    public int ServicePortCount => _portById.Count;

    /// <summary>Those that should be.</summary>
    public int DesiredPortCount { get; private set; }

    public int BackendCount => _backends.Count;

    public int FrontendCount => _frontends.Count;

    /// <summary>Of services, and of service CIDRs under the names of <c>ServiceCIDR/</c>.</summary>
    public IReadOnlyCollection<SyncFailure> Failures => [.. _failures.Values, .. _cidrFailures];

    /// <summary>Backends that are served but not counted: counters_v1 has no room, or a write to it failed. Tried again each time.</summary>
    public int UncountedBackends => _counters.Uncounted;

    /// <summary>How full the maps are that may be given room for more between two runs.</summary>
    public IEnumerable<MapFill> Fills =>
    [
        _frontends.Fill, _vips.Fill, _services.Fill, _backends.Fill, _names.Fill, _ranges.Fill, _cidrs.Fill, .. _counters.Fills,
        new(MapNames.Slots, _slots.Used, _slots.Capacity), new(MapNames.Affinity, _affinityEntries, _maps.Affinity.MaxEntries),
    ];

    /// <summary>System calls that wrote a map so far.</summary>
    public long MapWrites =>
        _frontends.Writes + _vips.Writes + _services.Writes + _backends.Writes + _names.Writes + _ranges.Writes + _cidrs.Writes
        + _counters.Writes;

    /// <param name="changes">Services that changed, and those that are gone.</param>
    /// <param name="complete">
    /// True once every source has told all it has. Until then nothing that was restored is deleted, and no restored service loses its
    /// last backend: a source that cannot be read must not take traffic down.
    /// </param>
    /// <param name="retry">Whether services that failed before are tried again although they did not change.</param>
    public ApplyReport Apply(DesiredChanges changes, bool complete, bool retry = true)
    {
        ArgumentNullException.ThrowIfNull(changes);
        long before = MapWrites;
        var upserted = new HashSet<ObjectName>(changes.Upserted.Select(service => service.Name));
        var removed = new HashSet<ObjectName>(changes.Removed);

        foreach (var service in changes.Upserted)
            Desire(service);
        foreach (var name in changes.Removed)
            Undesire(name);
        if (changes.ServiceCidrs is { } cidrs)
        {
            _desiredCidrs = cidrs;
            _cidrsDue = true;
        }

        _cidrsDue |= _cidrsArePartial && !changes.ServiceCidrsArePartial;
        _cidrsArePartial = changes.ServiceCidrsArePartial;
        _slots.Grow(_maps.Slots.Capacity);
        _freed |= Room > _room;
        _room = Room;
        bool completing = complete && !_complete;
        if (completing)
        {
            // What was restored and nobody has spoken of is judged now.
            foreach (var (name, _) in _programmed.Where(service => service.Value.Exists(port => port.IsOrphan)))
                (_desired.ContainsKey(name) ? upserted : removed).Add(name);
        }

        _complete |= complete;
        _cidrsDue |= completing;
        if (retry)
            upserted.UnionWith(_failures.Keys);

        DeleteDeadFrontends(completing ? _programmed.Keys : upserted.Concat(removed));
        ProgramAll(upserted);
        foreach (var name in removed)
            RemoveService(name);
        BuryDying();
        ProgramCidrs(retry);
        DeleteAgain();

        var full = _failures.Values.Where(failure => failure.Error == MapError.Full).Select(failure => failure.Service).ToArray();
        if (_freed && full.Length > 0)
            ProgramAll(full);
        _freed = false;
        RefreshVips();
        FitNodePortRange();
        Volatile.Write(ref _completed, _complete);

        return new ApplyReport(upserted.Count + removed.Count, MapWrites - before, Failures, HasLeftovers);
    }

    private ulong Room => Fills.Aggregate(0ul, (sum, fill) => sum + fill.MaxEntries);

    private bool HasLeftovers =>
        _dying.Exists(MayDie) || _touchedVips.Count > 0 || _frontends.Undeleted.Count > 0 || _vips.Undeleted.Count > 0
        || _services.Undeleted.Count > 0 || _backends.Undeleted.Count > 0 || _names.Undeleted.Count > 0
        || _ranges.Undeleted.Count > 0 || _cidrs.Undeleted.Count > 0 || _counters.HasLeftovers;

    private void Desire(DesiredService service)
    {
        if (_desired.TryGetValue(service.Name, out var before))
            Forget(before);
        _desired[service.Name] = service;
        DesiredPortCount += service.Ports.Count;
        foreach (var port in service.Ports)
        {
            CountOutside(port, 1);
            foreach (var frontend in port.Frontends)
                _desiredFrontends[Encoding.Key(frontend.Key)] = port.Key;
        }
    }

    private void Undesire(ObjectName name)
    {
        _failures.Remove(name);
        if (_desired.Remove(name, out var before))
            Forget(before);
    }

    // A frontend that went to another service in the same batch is that service's already.
    private void Forget(DesiredService service)
    {
        DesiredPortCount -= service.Ports.Count;
        foreach (var port in service.Ports)
        {
            CountOutside(port, -1);
            foreach (var frontend in port.Frontends)
            {
                var key = Encoding.Key(frontend.Key);
                if (_desiredFrontends.TryGetValue(key, out var owner) && owner == port.Key)
                    _desiredFrontends.Remove(key);
            }
        }
    }

    /// <summary>Whether a service of this family is to be reachable from outside. From any thread.</summary>
    public bool ServesOutside(AddressFamily family) => Volatile.Read(ref family == AddressFamily.IPv4 ? ref _outsideV4 : ref _outsideV6) > 0;

    private void CountOutside(DesiredPort port, int by)
    {
        if (!port.Frontends.Any(frontend => frontend.Kind != FrontendKind.ClusterIP))
            return;

        ref int count = ref port.Key.Family == AddressFamily.IPv4 ? ref _outsideV4 : ref _outsideV6;
        Volatile.Write(ref count, count + by);
    }

    // What was restored may be what a source that cannot be read would still want.
    private bool MayDie(ProgrammedPort port) => _complete || !port.IsOrphan;

    private void DeleteDeadFrontends(IEnumerable<ObjectName> services)
    {
        foreach (var name in services)
        {
            if (!_programmed.TryGetValue(name, out var ports))
                continue;

            foreach (var port in ports)
            {
                if (!MayDie(port))
                    continue;

                foreach (var key in port.Frontends.ToArray())
                {
                    if (!_desiredFrontends.ContainsKey(key))
                        DeleteFrontend(port, key);
                }
            }
        }

        // Those of earlier runs that could not be deleted then.
        foreach (var key in _frontends.Undeleted.ToArray())
        {
            if (_frontends.TryGet(key, out var value) && !_desiredFrontends.ContainsKey(key))
                DeleteFrontend(_portById.GetValueOrDefault(value.ServiceId), key);
        }
    }

    private void ProgramAll(IEnumerable<ObjectName> names)
    {
        foreach (var name in names)
        {
            if (!_desired.TryGetValue(name, out var service))
                continue;

            if (ProgramService(service) is { } failure)
            {
                _failures[name] = failure;
                WithholdFrontends(service);
            }
            else
                _failures.Remove(name);
        }
    }

    // A frontend this service won but cannot serve must not go on leading to the service that lost it.
    private void WithholdFrontends(DesiredService service)
    {
        foreach (var frontend in service.Ports.SelectMany(port => port.Frontends))
        {
            var key = Encoding.Key(frontend.Key);
            if (_frontends.TryGet(key, out var value) && _portById.GetValueOrDefault(value.ServiceId) is { } port
                && port.Key.Service != service.Name)
                DeleteFrontend(port, key);
        }
    }

    private void RemoveService(ObjectName name)
    {
        if (!_programmed.Remove(name, out var ports))
            return;

        _dying.AddRange(ports);
    }

    private void DeleteAgain()
    {
        _services.DeleteAgain();
        _names.DeleteAgain();
        _backends.DeleteAgain();
        _vips.DeleteAgain();
        _ranges.DeleteAgain();
        _cidrs.DeleteAgain();
        _counters.TryAgain();
    }

    // An address is there as long as one of its frontends is.
    private void RefreshVips()
    {
        foreach (var address in _touchedVips.ToArray())
        {
            bool done = _vipUses.TryGetValue(address, out var use)
                ? _vips.Put(address, new VipValue { Flags = use.ClusterIPs > 0 ? VipFlags.ClusterIP : VipFlags.None }).Succeeded
                : _vips.Delete(address);
            if (done)
                _touchedVips.Remove(address);
        }

        // The first run touches all there are, and a set that was large is walked at that size for good.
        if (_touchedVips.Count == 0)
            _touchedVips.TrimExcess();
    }
}
