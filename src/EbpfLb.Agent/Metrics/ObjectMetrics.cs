// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Maps;
using EbpfLb.Datapath.Sync;

namespace EbpfLb.Agent.Metrics;

/// <summary>What the reconcile loop keeps in the maps, as of its last run.</summary>
internal sealed class ObjectMetrics
{
    private readonly Gauge _services;
    private readonly Gauge _servicePorts;
    private readonly Gauge _frontends;
    private readonly Gauge _backends;
    private readonly Gauge _failed;
    private readonly Gauge _problems;
    private readonly Counter _mapWrites;
    private readonly Dictionary<string, Gauge> _entries = [];
    private readonly MetricFamily<Gauge> _sizes;
    private readonly MetricFamily<Counter> _growths;
    private volatile int _backendCount;

    /// <param name="maxEntries">Of each map that can fill.</param>
    public ObjectMetrics(MetricRegistry registry, string version, IEnumerable<(string Map, uint MaxEntries)> maxEntries)
    {
        registry.Gauges("ebpflb_build_info", "Always 1; the version is in the label.", ["version"]).With(version).Set(1);
        _services = registry.Gauge("ebpflb_services", "Service objects that should be programmed.");
        _servicePorts = registry.Gauge("ebpflb_service_ports", "Service ports by family in services_v1.");
        _frontends = registry.Gauge("ebpflb_frontends", "Addresses and ports that clients can dial in frontends_v1.");
        _backends = registry.Gauge("ebpflb_backends", "Endpoints that traffic goes to in backends_v1.");
        _failed = registry.Gauge("ebpflb_services_failed", "Service objects that are not programmed as they should be.");
        _problems = registry.Gauge("ebpflb_problems", "Problems that 'ebpflb status' shows.");
        _mapWrites = registry.Counter("ebpflb_map_writes_total", "System calls of the reconcile loop that wrote a map.");
        _sizes = registry.Gauges("ebpflb_map_max_entries", "Entries a map has room for.", ["map"]);
        _growths = registry.Counters("ebpflb_map_growths_total", "How often a map was given room for more.", ["map"]);
        foreach (var (map, max) in maxEntries)
            _sizes.With(map).Set(max);
        var entries = registry.Gauges(
            "ebpflb_map_entries", "Entries in a map, of those whose number is known without counting them one by one.", ["map"]);
        foreach (string map in (string[])[MapNames.Services, MapNames.Frontends, MapNames.Backends, MapNames.Conntrack])
            _entries[map] = entries.With(map);
    }

    /// <summary>Endpoints in the maps. Any thread may read it.</summary>
    public int Backends => _backendCount;

    public void Ran(int services, DatapathSync sync, ApplyReport report)
    {
        _services.Set(services);
        _servicePorts.Set(sync.ServicePortCount);
        _frontends.Set(sync.FrontendCount);
        _backends.Set(sync.BackendCount);
        _backendCount = sync.BackendCount;
        _failed.Set(report.Failures.Count);
        _mapWrites.Add(report.MapWrites);
        SetEntries(MapNames.Services, sync.ServicePortCount);
        SetEntries(MapNames.Frontends, sync.FrontendCount);
        SetEntries(MapNames.Backends, sync.BackendCount);
    }

    /// <param name="sizes">Of maps that have room for more now.</param>
    public void Grown(IReadOnlyDictionary<string, uint> sizes)
    {
        foreach (var (map, size) in sizes)
        {
            _sizes.With(map).Set(size);
            _growths.With(map).Add(1);
        }
    }

    public void SetProblems(int count) => _problems.Set(count);

    public void SetEntries(string map, double count) => _entries[map].Set(count);
}
