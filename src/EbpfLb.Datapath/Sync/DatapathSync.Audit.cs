// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers;
using EbpfLb.Datapath.Audit;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Maps;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Sync;

public sealed partial class DatapathSync
{
    /// <summary>
    /// Compares the maps with what was written to them, and writes again what somebody else changed, in the order of <see cref="Apply"/>:
    /// entries nobody wrote stop being entered, then what others name comes before it is named, and what nobody names goes last.
    /// </summary>
    /// <param name="image">May be older than the last write: only what still differs counts.</param>
    public AuditResult Audit(MapImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        var mending = new Mending();
        var frontends = _frontends.Drifted(image.Frontends);
        var vips = _vips.Drifted(image.Vips);
        var services = _services.Drifted(image.Services);
        var backends = _backends.Drifted(image.Backends);
        var names = _names.Drifted(image.ServiceNames);
        var ranges = _ranges.Drifted(image.SourceRanges, isTrie: true);
        var cidrs = _cidrs.Drifted(image.ServiceCidrs, isTrie: true);

        mending.Remove(frontends, Describe, _frontends.Mend);
        mending.Write(backends, Describe, _backends.Mend);
        mending.Write(ranges, Describe, _ranges.Mend);
        mending.Write(names, (id, kind) => new Divergence(MapNames.ServiceNames, kind, $"id {id}", NameOf(id)), _names.Mend);
        mending.Write(services, (id, kind) => new Divergence(MapNames.Services, kind, $"id {id}", NameOf(id)), _services.Mend);
        MendTables(mending);
        mending.Write(vips, Describe, _vips.Mend);
        MendNodePorts(mending);
        mending.Write(frontends, Describe, _frontends.Mend);
        mending.Write(cidrs, Describe, _cidrs.Mend);

        mending.Remove(services, (id, kind) => new Divergence(MapNames.Services, kind, $"id {id}", NameOf(id)), _services.Mend);
        mending.Remove(names, (id, kind) => new Divergence(MapNames.ServiceNames, kind, $"id {id}", NameOf(id)), _names.Mend);
        mending.Remove(ranges, Describe, _ranges.Mend);
        mending.Remove(backends, Describe, _backends.Mend);
        mending.Remove(vips, Describe, _vips.Mend);
        mending.Remove(cidrs, Describe, _cidrs.Mend);
        MendCounters(image, mending);
        MendIds(mending);
        return mending.Result;
    }

    private static ulong TableSum(ReadOnlySpan<uint> table)
    {
        // FNV-1a. It has to notice what somebody else wrote, not to withstand him.
        ulong sum = 14695981039346656037;
        foreach (uint slot in table)
            sum = (sum ^ slot) * 1099511628211;
        return sum;
    }

    // A table that programs read is not written to: the service gets a fresh one, as with any change of its backends.
    private void MendTables(Mending mending)
    {
        foreach (var port in _portById.Values.ToArray())
        {
            if (port.TableSums is not { } sums || !_services.TryGet(port.ServiceId, out var value) || !_desired.ContainsKey(port.Key.Service))
                continue;

            if (SumOf(value.Cluster) == sums.Cluster && SumOf(value.Local) == sums.Local)
                continue;

            var found = new Divergence(MapNames.Slots, DivergenceKind.Changed, $"slots of id {port.ServiceId}", port.Key.ToString());
            ProgramAll([port.Key.Service]);
            bool isMended = _services.TryGet(port.ServiceId, out value) && SumOf(value.Cluster) == sums.Cluster && SumOf(value.Local) == sums.Local;
            mending.Note(found, isMended ? "" : _failures.GetValueOrDefault(port.Key.Service)?.Message ?? "its service keeps its last version");
        }
    }

    private ulong SumOf(SlotRange range)
    {
        uint[] buffer = ArrayPool<uint>.Shared.Rent((int)range.Count);
        var table = buffer.AsSpan(0, (int)range.Count);
        _maps.Slots.Read(range.Base, table);
        ulong sum = TableSum(table);
        ArrayPool<uint>.Shared.Return(buffer);
        return sum;
    }

    private void MendNodePorts(Mending mending)
    {
        var before = _maps.NodePorts.Range;
        FitNodePortRange();
        var after = _maps.NodePorts.Range;
        if (after != before)
            mending.Note(new Divergence(MapNames.Settings, DivergenceKind.Changed, "node ports", "", Text(after), Text(before)), "");
    }

    private static string Text(NodePortRange range) => range.IsEmpty ? "none" : $"{range.First}-{range.Last}";

    private void MendCounters(MapImage image, Mending mending)
    {
        var backends = _counters.Drifted(image.Counted);
        var services = _counters.DriftedServices(image.ServiceCounters);
        mending.Write(backends, Counter, _counters.Mend);
        mending.Write(services, ServiceCounter, _counters.MendService);
        mending.Remove(backends, Counter, _counters.Mend);
        mending.Remove(services, ServiceCounter, _counters.MendService);

        Divergence Counter(uint id, DivergenceKind kind) => Describe(id, kind) with { Where = MapNames.Counters };

        Divergence ServiceCounter(uint id, DivergenceKind kind) => new(MapNames.ServiceCounters, kind, $"id {id}", NameOf(id));
    }

    // A restart goes on after the last id that was given.
    private void MendIds(Mending mending)
    {
        if (_maps.Ids.LastServiceId != _serviceIds.Last)
        {
            mending.Note(new Divergence(MapNames.Agent, DivergenceKind.Changed, "last service id", ""), "");
            _maps.Ids.LastServiceId = _serviceIds.Last;
        }

        if (_maps.Ids.LastBackendId != _backendIds.Last)
        {
            mending.Note(new Divergence(MapNames.Agent, DivergenceKind.Changed, "last backend id", ""), "");
            _maps.Ids.LastBackendId = _backendIds.Last;
        }
    }

    private Divergence Describe(FrontendKey key, DivergenceKind kind)
    {
        if (!_frontends.TryGet(key, out var value))
            _frontends.TryRead(key, out value);
        return new Divergence(
            MapNames.Frontends, kind, new FrontendAddress(key.Address, key.Port.Value, key.Protocol).ToString(), NameOf(value.ServiceId));
    }

    private Divergence Describe(uint backend, DivergenceKind kind)
    {
        if (!_backends.TryGet(backend, out var value))
            _backends.TryRead(backend, out value);
        return new Divergence(
            MapNames.Backends, kind, value == default ? $"id {backend}" : $"{new Inspection.AddressPort(value.Address, value.Port.Value)} (id {backend})",
            value == default ? "" : NameOf(value.ServiceId));
    }

    private Divergence Describe(SourceRangeKey key, DivergenceKind kind) =>
        new(MapNames.SourceRanges, kind, Encoding.Prefix(key).ToString(), NameOf(key.ServiceId));

    private static Divergence Describe(Address vip, DivergenceKind kind) => new(MapNames.Vips, kind, vip.ToString(), "");

    private static Divergence Describe(ServiceCidrKey key, DivergenceKind kind) =>
        new(MapNames.ServiceCidrs, kind, Encoding.Prefix(key).ToString(), "");

    private string NameOf(uint serviceId) =>
        _portById.TryGetValue(serviceId, out var port) && port.Key != default ? port.Key.ToString() : $"service id {serviceId}, which nobody has";

    private sealed class Mending
    {
        private readonly List<Divergence> _found = [];
        private readonly List<(Divergence, string)> _left = [];

        public AuditResult Result => _found.Count == 0 ? AuditResult.Clean : new AuditResult(_found, _left);

        public void Write<TKey>(
            IReadOnlyList<MapDrift<TKey>> drifted, Func<TKey, DivergenceKind, Divergence> describe, Func<TKey, MapWrite> mend) =>
            Mend(drifted.Where(drift => drift.Kind != DivergenceKind.Extra), describe, mend);

        public void Remove<TKey>(
            IReadOnlyList<MapDrift<TKey>> drifted, Func<TKey, DivergenceKind, Divergence> describe, Func<TKey, MapWrite> mend) =>
            Mend(drifted.Where(drift => drift.Kind == DivergenceKind.Extra), describe, mend);

        public void Note(Divergence found, string cause)
        {
            _found.Add(found);
            if (cause.Length > 0)
                _left.Add((found, cause));
        }

        private void Mend<TKey>(
            IEnumerable<MapDrift<TKey>> drifted, Func<TKey, DivergenceKind, Divergence> describe, Func<TKey, MapWrite> mend)
        {
            foreach (var (key, kind) in drifted)
            {
                // Described before it is gone.
                var found = describe(key, kind);
                var write = mend(key);
                Note(found, write.Succeeded ? "" : write.Error == MapError.Full ? "the map is full" : write.ErrnoName);
            }
        }
    }
}
