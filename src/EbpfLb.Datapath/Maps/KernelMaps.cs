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
    private readonly List<BpfMap> _opened = [];
    private readonly List<BpfMappedArray> _mapped = [];

    private KernelMaps(string directory, bool writable)
    {
        try
        {
            Frontends = Open<FrontendKey, FrontendValue>(directory, MapNames.Frontends);
            Vips = Open<Address, VipValue>(directory, MapNames.Vips);
            Services = Open<uint, ServiceValue>(directory, MapNames.Services);
            Backends = Open<uint, BackendValue>(directory, MapNames.Backends);
            ServiceNames = Open<uint, ServiceNameValue>(directory, MapNames.ServiceNames);
            Affinity = Open<AffinityKey, AffinityValue>(directory, MapNames.Affinity);
            Problems = Open<uint, ProblemValue>(directory, MapNames.Problems);
            SockPeers = OpenChecked(directory, MapNames.SockPeers, sizeof(int), Unsafe.SizeOf<SockPeerValue>());
            OpenChecked(directory, MapNames.SockFlows, Unsafe.SizeOf<SockFlowKey>(), Unsafe.SizeOf<SockFlowValue>());
            NodeAddresses = Open<Address, NodeAddressValue>(directory, MapNames.NodeAddresses);
            ServiceCidrs = Open<ServiceCidrKey, ServiceCidrValue>(directory, MapNames.ServiceCidrs);
            SourceRanges = Open<SourceRangeKey, SourceRangeValue>(directory, MapNames.SourceRanges);
            Conntrack = Open<ConntrackKey, ConntrackValue>(directory, MapNames.Conntrack);
            Devices = Open<uint, DeviceValue>(directory, MapNames.Devices);
            Counters = Open<uint, CountersValue>(directory, MapNames.Counters);
            ServiceCounters = Open<uint, CountersValue>(directory, MapNames.ServiceCounters);
            OpenChecked(directory, MapNames.Fragments, Unsafe.SizeOf<FragmentKey>(), Unsafe.SizeOf<FragmentValue>());
            OpenChecked(directory, MapNames.Recent, sizeof(uint), sizeof(ulong));
            Reasons = OpenChecked(directory, MapNames.Reasons, sizeof(uint), Unsafe.SizeOf<CountValue>());
            Settings = OpenArray<SettingsValue>(directory, MapNames.Settings, writable);
            NodePorts = new KernelNodePortSettings(Settings);
            Slots = new KernelSlotArray(OpenArray<uint>(directory, MapNames.Slots, writable));
            Agent = OpenArray<AgentValue>(directory, MapNames.Agent, writable);
            Ids = new KernelIdMarks(Agent);
            Audit = OpenArray<AuditValue>(directory, MapNames.Audit, writable);
        }
        catch (LinuxException exception)
        {
            Dispose();
            throw new DatapathException($"The maps in {directory} cannot be opened: {exception.Message}", exception);
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

    public ISlotArray Slots { get; }

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

    /// <summary>Every one of them, in no order.</summary>
    internal IReadOnlyList<BpfMap> Opened => _opened;

    /// <summary>As the kernel knows them, those included that only programs use; in the order of <see cref="MapNames.All"/>.</summary>
    public IReadOnlyList<BpfMapInfo> Infos => [.. _opened.Select(map => map.Info).OrderBy(info => Array.IndexOf([.. MapNames.All], info.Name))];

    /// <summary>Checks the shape of every map: bpftool would load programs over maps of any.</summary>
    /// <param name="directory">Where they are pinned.</param>
    /// <param name="writable">False for commands that only read: they then cannot change an array by mistake.</param>
    public static KernelMaps Open(string directory, bool writable) => new(directory, writable);

    public void Dispose()
    {
        _mapped.ForEach(array => array.Dispose());
        _opened.ForEach(map => map.Dispose());
    }

    private KernelMap<TKey, TValue> Open<TKey, TValue>(string directory, string name)
        where TKey : unmanaged
        where TValue : unmanaged =>
        new(OpenChecked(directory, name, Unsafe.SizeOf<TKey>(), Unsafe.SizeOf<TValue>()));

    private BpfMappedArray OpenArray<TValue>(string directory, string name, bool writable)
        where TValue : unmanaged
    {
        var map = OpenChecked(directory, name, sizeof(uint), Unsafe.SizeOf<TValue>());
        var array = writable ? map.Map() : map.MapReadOnly();
        _mapped.Add(array);
        return array;
    }

    private BpfMap OpenChecked(string directory, string name, int keySize, int valueSize)
    {
        string path = Path.Combine(directory, name);
        if (!BpfMap.TryOpenPinned(path, out var map))
            throw new DatapathException($"{path} does not exist. No agent has run with this BPF file system, or 'ebpflb cleanup' removed it.");

        _opened.Add(map);
        var info = map.Info;
        return info.KeySize == keySize && info.ValueSize == valueSize
            ? map
            : throw new DatapathException(
                $"{path} has keys of {info.KeySize} and values of {info.ValueSize} bytes; this version of ebpflb has {keySize} and "
                + $"{valueSize}. It was made by another version: run that one, or start afresh with 'ebpflb cleanup'.");
    }
}
