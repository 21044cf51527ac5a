// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Maps;

/// <summary>The maps without a kernel: for tests, held to the kernel's behaviour by a parity test.</summary>
public sealed class InMemoryMaps : ILbMaps
{
    private readonly InMemoryMap<FrontendKey, FrontendValue> _frontends;
    private readonly InMemoryMap<Address, VipValue> _vips;
    private readonly InMemoryMap<ServiceCidrKey, ServiceCidrValue> _serviceCidrs;
    private readonly InMemoryMap<SourceRangeKey, SourceRangeValue> _sourceRanges;
    private readonly InMemoryMap<uint, ServiceValue> _services;
    private readonly InMemoryMap<uint, BackendValue> _backends;
    private readonly InMemoryMap<uint, CountersValue> _counters;
    private readonly InMemoryMap<uint, CountersValue> _serviceCounters;
    private readonly InMemoryMap<uint, ServiceNameValue> _serviceNames;
    private readonly InMemoryMap<AffinityKey, AffinityValue> _affinity;
    private readonly InMemoryMap<uint, ProblemValue> _problems;

    /// <param name="sizes">Entries by map name, for those that shall differ from 65,536.</param>
    /// <param name="fault">Asked before each write of any map; null lets it happen.</param>
    public InMemoryMaps(IReadOnlyDictionary<string, uint>? sizes = null, Func<MapWrite?>? fault = null)
    {
        uint Size(string name) => sizes is not null && sizes.TryGetValue(name, out uint size) ? size : 65_536;

        _frontends = new(MapNames.Frontends, Size(MapNames.Frontends), fault);
        _vips = new(MapNames.Vips, Size(MapNames.Vips), fault);
        _serviceCidrs = new(MapNames.ServiceCidrs, Size(MapNames.ServiceCidrs), fault);
        _sourceRanges = new(MapNames.SourceRanges, Size(MapNames.SourceRanges), fault);
        _services = new(MapNames.Services, Size(MapNames.Services), fault);
        _backends = new(MapNames.Backends, Size(MapNames.Backends), fault);
        _counters = new(MapNames.Counters, Size(MapNames.Counters), fault);
        _serviceCounters = new(MapNames.ServiceCounters, Size(MapNames.ServiceCounters), fault);
        _serviceNames = new(MapNames.ServiceNames, Size(MapNames.ServiceNames), fault);
        _affinity = new(MapNames.Affinity, Size(MapNames.Affinity), fault);
        _problems = new(MapNames.Problems, Size(MapNames.Problems), fault);
        Slots = new InMemorySlotArray(Size(MapNames.Slots));
    }

    public IBpfMap<FrontendKey, FrontendValue> Frontends => _frontends;

    public IBpfMap<Address, VipValue> Vips => _vips;

    public IBpfMap<ServiceCidrKey, ServiceCidrValue> ServiceCidrs => _serviceCidrs;

    public IBpfMap<SourceRangeKey, SourceRangeValue> SourceRanges => _sourceRanges;

    public IBpfMap<uint, ServiceValue> Services => _services;

    public ISlotArray Slots { get; }

    public IBpfMap<uint, BackendValue> Backends => _backends;

    public IBpfMap<uint, CountersValue> Counters => _counters;

    public IBpfMap<uint, CountersValue> ServiceCounters => _serviceCounters;

    public IBpfMap<uint, ServiceNameValue> ServiceNames => _serviceNames;

    public IBpfMap<AffinityKey, AffinityValue> Affinity => _affinity;

    public IBpfMap<uint, ProblemValue> Problems => _problems;

    public INodePortSettings NodePorts { get; } = new InMemoryNodePortSettings();

    public IIdMarks Ids { get; } = new InMemoryIdMarks();

    /// <summary>Puts and deletions of all maps, the failed ones included.</summary>
    public long Writes =>
        _serviceCidrs.Puts + _serviceCidrs.Deletes + _sourceRanges.Puts + _sourceRanges.Deletes
        + _counters.Puts + _counters.Deletes + _serviceCounters.Puts + _serviceCounters.Deletes
        + _frontends.Puts + _frontends.Deletes + _vips.Puts + _vips.Deletes + _services.Puts + _services.Deletes
        + _backends.Puts + _backends.Deletes + _serviceNames.Puts + _serviceNames.Deletes
        + _affinity.Puts + _affinity.Deletes + _problems.Puts + _problems.Deletes;
}
