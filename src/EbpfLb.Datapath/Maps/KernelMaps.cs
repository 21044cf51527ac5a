// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.CompilerServices;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Loading;
using EbpfLb.Linux;
using EbpfLb.Linux.Bpf;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Maps;

/// <summary>The pinned maps. Holds a descriptor of each until disposed; the pins are the loader's.</summary>
public sealed class KernelMaps : ILbMaps, IDisposable
{
    private readonly Func<string, string> _pinOf;
    private readonly Dictionary<string, BpfMap> _opened = [];
    private readonly Dictionary<string, IReplaceableMap> _replaceable = [];
    private readonly List<BpfMappedArray> _mapped = [];
    private readonly KernelSlotArray _slots;

    private KernelMaps(Func<string, string> pinOf, bool writable)
    {
        _pinOf = pinOf;
        try
        {
            Frontends = Open<FrontendKey, FrontendValue>(MapNames.Frontends);
            Vips = Open<Address, VipValue>(MapNames.Vips);
            Services = Open<uint, ServiceValue>(MapNames.Services);
            Backends = Open<uint, BackendValue>(MapNames.Backends);
            ServiceNames = Open<uint, ServiceNameValue>(MapNames.ServiceNames);
            Affinity = Open<AffinityKey, AffinityValue>(MapNames.Affinity);
            Problems = Open<uint, ProblemValue>(MapNames.Problems);
            SockPeers = OpenChecked(MapNames.SockPeers, sizeof(int), Unsafe.SizeOf<SockPeerValue>());
            OpenChecked(MapNames.SockFlows, Unsafe.SizeOf<SockFlowKey>(), Unsafe.SizeOf<SockFlowValue>());
            NodeAddresses = Open<Address, NodeAddressValue>(MapNames.NodeAddresses);
            ServiceCidrs = Open<ServiceCidrKey, ServiceCidrValue>(MapNames.ServiceCidrs);
            SourceRanges = Open<SourceRangeKey, SourceRangeValue>(MapNames.SourceRanges);
            Conntrack = Open<ConntrackKey, ConntrackValue>(MapNames.Conntrack);
            Devices = Open<uint, DeviceValue>(MapNames.Devices);
            Counters = Open<uint, CountersValue>(MapNames.Counters);
            ServiceCounters = Open<uint, CountersValue>(MapNames.ServiceCounters);
            OpenChecked(MapNames.Fragments, Unsafe.SizeOf<FragmentKey>(), Unsafe.SizeOf<FragmentValue>());
            OpenChecked(MapNames.Recent, sizeof(uint), sizeof(ulong));
            Reasons = OpenChecked(MapNames.Reasons, sizeof(uint), Unsafe.SizeOf<CountValue>());
            Settings = OpenArray<SettingsValue>(MapNames.Settings, writable);
            NodePorts = new KernelNodePortSettings(Settings);
            _slots = new KernelSlotArray(OpenArray<uint>(MapNames.Slots, writable));
            Agent = OpenArray<AgentValue>(MapNames.Agent, writable);
            Ids = new KernelIdMarks(Agent);
            Audit = OpenArray<AuditValue>(MapNames.Audit, writable);
        }
        catch (LinuxException exception)
        {
            Dispose();
            throw new DatapathException($"The maps in {Path.GetDirectoryName(pinOf(MapNames.Agent))} cannot be opened: {exception.Message}", exception);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public IBpfMap<FrontendKey, FrontendValue> Frontends { get; }

    public IBpfMap<Address, VipValue> Vips { get; }

    public IBpfMap<uint, ServiceValue> Services { get; }

    public ISlotArray Slots => _slots;

    public IBpfMap<uint, BackendValue> Backends { get; }

    public IBpfMap<uint, ServiceNameValue> ServiceNames { get; }

    public IBpfMap<AffinityKey, AffinityValue> Affinity { get; }

    public IBpfMap<uint, ProblemValue> Problems { get; }

    /// <summary>Socket storage of <see cref="SockPeerValue"/>.</summary>
    public BpfMap SockPeers { get; }

    public IBpfMap<Address, NodeAddressValue> NodeAddresses { get; }

    public IBpfMap<ServiceCidrKey, ServiceCidrValue> ServiceCidrs { get; }

    public IBpfMap<SourceRangeKey, SourceRangeValue> SourceRanges { get; }

    public IBpfMap<ConntrackKey, ConntrackValue> Conntrack { get; }

    public IBpfMap<uint, DeviceValue> Devices { get; }

    public IBpfMap<uint, CountersValue> Counters { get; }

    public IBpfMap<uint, CountersValue> ServiceCounters { get; }

    /// <summary>Per CPU, of <see cref="CountValue"/>; index is hook * reasons + reason.</summary>
    public BpfMap Reasons { get; }

    /// <summary>One element of <see cref="SettingsValue"/>. Its range of node ports is written through <see cref="NodePorts"/> only.</summary>
    public BpfMappedArray Settings { get; }

    public INodePortSettings NodePorts { get; }

    public IIdMarks Ids { get; }

    /// <summary>One element of <see cref="AgentValue"/>.</summary>
    public BpfMappedArray Agent { get; }

    /// <summary>One element of <see cref="AuditValue"/>.</summary>
    public BpfMappedArray Audit { get; }

    /// <summary>Every one of them, in no order; others after <see cref="Reopen"/>.</summary>
    internal IReadOnlyCollection<BpfMap> Opened => _opened.Values;

    /// <summary>As the kernel knows them, those included that only programs use; in the order of <see cref="MapNames.All"/>.</summary>
    public IReadOnlyList<BpfMapInfo> Infos => [.. _opened.Values.Select(map => map.Info).OrderBy(info => Array.IndexOf([.. MapNames.All], info.Name))];

    public uint MaxEntriesOf(string name) => _opened[name].Info.MaxEntries;

    /// <summary>Checks the shape of every map: bpftool would load programs over maps of any.</summary>
    /// <param name="directory">Where they are pinned.</param>
    /// <param name="writable">False for commands that only read: they then cannot change an array by mistake.</param>
    public static KernelMaps Open(string directory, bool writable) => new(name => Path.Combine(directory, name), writable);

    /// <param name="pinOf">Where the map of a name is pinned.</param>
    internal static KernelMaps Open(Func<string, string> pinOf, bool writable) => new(pinOf, writable);

    public void Dispose()
    {
        _mapped.ForEach(array => array.Dispose());
        foreach (var map in _opened.Values)
            map.Dispose();
    }

    /// <summary>Goes over to the maps that are pinned under these names now. Nobody may use a map meanwhile.</summary>
    internal void Reopen(IEnumerable<string> names)
    {
        foreach (string name in names)
        {
            var map = BpfMap.OpenPinned(_pinOf(name));
            using var before = _opened[name];
            _opened[name] = map;
            if (_replaceable.TryGetValue(name, out var replaceable))
                replaceable.Use(map);
            if (name != MapNames.Slots)
                continue;

            var array = map.Map();
            _mapped.Add(array);
            using var left = _slots.Use(array);
            _mapped.Remove(left);
        }
    }

    private KernelMap<TKey, TValue> Open<TKey, TValue>(string name)
        where TKey : unmanaged
        where TValue : unmanaged
    {
        var map = new KernelMap<TKey, TValue>(OpenChecked(name, Unsafe.SizeOf<TKey>(), Unsafe.SizeOf<TValue>()));
        _replaceable.Add(name, map);
        return map;
    }

    private BpfMappedArray OpenArray<TValue>(string name, bool writable)
        where TValue : unmanaged
    {
        var map = OpenChecked(name, sizeof(uint), Unsafe.SizeOf<TValue>());
        var array = writable ? map.Map() : map.MapReadOnly();
        _mapped.Add(array);
        return array;
    }

    private BpfMap OpenChecked(string name, int keySize, int valueSize)
    {
        string path = _pinOf(name);
        if (!BpfMap.TryOpenPinned(path, out var map))
        {
            throw new DatapathException(
                $"{path} does not exist. No agent has run with this BPF file system, or 'ebpflb cleanup' removed it; if somebody removed the pin "
                + "alone, a running agent puts it back within seconds.");
        }

        _opened.Add(name, map);
        var info = map.Info;
        return info.KeySize == keySize && info.ValueSize == valueSize
            ? map
            : throw new DatapathException(
                $"{path} has keys of {info.KeySize} and values of {info.ValueSize} bytes; this version of ebpflb has {keySize} and "
                + $"{valueSize}. It was made by another version: run that one, or start afresh with 'ebpflb cleanup'.");
    }
}
