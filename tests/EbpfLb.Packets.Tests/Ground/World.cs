// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Maps;
using EbpfLb.Linux.Bpf;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Packets.Tests.Ground;

internal sealed record BackendSpec(Address Address, ushort Port, bool OnNode)
{
    public BackendFlags Lists { get; init; } = BackendFlags.InCluster | BackendFlags.InLocal;

    public uint Id { get; init; }
}

internal sealed record FrontendOf(Address Address, ushort Port, FrontendFlags Flags);

/// <summary>A service port of one family.</summary>
internal sealed record ServiceSpec(string Name, Protocol Protocol, FrontendOf[] Frontends, BackendSpec[] Backends)
{
    public ServiceFlags Flags { get; init; } = ServiceFlags.HasEndpoints;

    public uint AffinitySeconds { get; init; }

    public (Address Address, int Bits)[] SourceRanges { get; init; } = [];

    public uint Id { get; init; }
}

/// <summary>What the agent would have put in the maps. A new world finds them empty.</summary>
internal sealed class World
{
    // No id comes back, as with the agent.
    private static uint s_lastServiceId;
    private static uint s_lastBackendId = 1000;

    private readonly KernelMaps _maps;
    private readonly BpfMap _fragments;
    private readonly Dictionary<string, ServiceSpec> _services = [];
    private uint _lastSlot;

    public World(PacketGround ground)
    {
        Ground = ground;
        _maps = ground.Maps;
        _fragments = ground.Fragments;
        Clear();
        Settings = new SettingsValue
        {
            NodeNetns = 1,
            Generation = 1,
            SnatPortFirst = 50000,
            SnatPortLast = 65535,
            NodePortFirst = 30000,
            NodePortLast = 32767,
            TcpSynSeconds = 30,
            TcpEstablishedSeconds = 8000,
            TcpFinSeconds = 3600,
            TcpClosedSeconds = 10,
            UdpSeconds = 60,
            SctpSeconds = 300,
            PairCheckMs = 1000,
            RepliesPerSecond = 1_000_000,
        };
        foreach (var plan in new[] { AddressPlan.IPv4, AddressPlan.IPv6 })
        {
            Put(_maps.NodeAddresses, plan.Node, new NodeAddressValue { Flags = NodeAddressFlags.NodePorts });
            Put(_maps.NodeAddresses, plan.SecondNode, new NodeAddressValue { Flags = NodeAddressFlags.NodePorts });
            Put(_maps.NodeAddresses, plan.QuietNode, default);
            Put(_maps.ServiceCidrs, new ServiceCidrKey { PrefixBits = plan.IsIPv6 ? 64u : 112, Address = plan.ClusterIP(0) }, default);
        }

        PutDevice(ground.Up0, DeviceFlags.Attached | DeviceFlags.XdpSends | DeviceFlags.XdpTurns);
        PutDevice(ground.Up1, DeviceFlags.Attached | DeviceFlags.XdpSends | DeviceFlags.XdpTurns);
        PutDevice(ground.Pod, DeviceFlags.Attached);
    }

    public PacketGround Ground { get; }

    public SettingsValue Settings
    {
        get => _maps.Settings.Get<SettingsValue>(0);
        set => _maps.Settings.At<SettingsValue>(0) = value;
    }

    public IEnumerable<ServiceSpec> Services => _services.Values;

    public ServiceSpec this[string name] => _services[name];

    public IReadOnlyList<KeyValuePair<ConntrackKey, ConntrackValue>> Conntrack => _maps.Conntrack.ReadAll();

    /// <summary>Flows in conntrack, of which each has one half or both.</summary>
    public int Flows => Conntrack.Select(entry => entry.Value.Flags.HasFlag(ConntrackFlags.Reply)
        ? (entry.Value.Destination, entry.Value.DestinationPort, entry.Value.Source, entry.Value.SourcePort, entry.Key.Protocol)
        : (entry.Key.Source, entry.Key.SourcePort, entry.Key.Destination, entry.Key.DestinationPort, entry.Key.Protocol))
        .Distinct().Count();

    /// <summary>As the programs count time.</summary>
    public static uint Coarse(uint seconds) => (uint)((ulong)seconds * 1_000_000_000 >> 20);

    /// <summary>Adds the service, or gives one of that name another shape; backends with an id keep it.</summary>
    public ServiceSpec Put(ServiceSpec spec)
    {
        uint id = _services.TryGetValue(spec.Name, out var before) ? before.Id : ++s_lastServiceId;
        spec = spec with { Id = id, Backends = [.. spec.Backends.Select(backend => WithId(backend, before))] };
        foreach (var gone in before?.Backends.Where(old => spec.Backends.All(backend => backend.Id != old.Id)) ?? [])
            Ok(_maps.Backends.Delete(gone.Id));
        foreach (var backend in spec.Backends)
        {
            Put(_maps.Backends, backend.Id, new BackendValue
            {
                Address = backend.Address,
                Port = new BigEndian16(backend.Port),
                Protocol = spec.Protocol,
                Flags = backend.Lists | (backend.OnNode ? BackendFlags.OnNode : BackendFlags.None),
                ServiceId = id,
            });
            if (!_maps.Counters.TryGet(backend.Id, out _))
                Put(_maps.Counters, backend.Id, default);
        }

        bool ranges = spec.SourceRanges.Length > 0;
        Put(_maps.Services, id, new ServiceValue
        {
            Cluster = WriteSlots(spec, BackendFlags.InCluster),
            Local = WriteSlots(spec, BackendFlags.InLocal),
            AffinityTimeoutSeconds = spec.AffinitySeconds,
            Flags = spec.Flags | (ranges ? ServiceFlags.SourceRanges : ServiceFlags.None),
            Algorithm = Algorithm.Random,
        });
        foreach (var (address, bits) in spec.SourceRanges)
        {
            uint prefix = (uint)bits + (address.IsIPv4 ? 128u : 32);
            Put(_maps.SourceRanges, new SourceRangeKey { PrefixBits = prefix, ServiceId = id, Address = address }, default);
        }

        foreach (var frontend in spec.Frontends)
        {
            if (!frontend.Flags.HasFlag(FrontendFlags.NodePort))
            {
                bool isClusterIP = frontend.Flags.HasFlag(FrontendFlags.ClusterIP);
                Put(_maps.Vips, frontend.Address, new VipValue { Flags = isClusterIP ? VipFlags.ClusterIP : VipFlags.None });
            }


            Put(_maps.Frontends, KeyOf(frontend, spec.Protocol), new FrontendValue { ServiceId = id, Flags = frontend.Flags });
        }

        return _services[spec.Name] = spec;
    }

    /// <summary>Writes what the function says over each half of a flow; null: it is gone.</summary>
    public void ChangeConntrack(Func<ConntrackKey, ConntrackValue, ConntrackValue?> change)
    {
        foreach (var (key, value) in Conntrack)
        {
            if (change(key, value) is { } changed)
                Put(_maps.Conntrack, key, changed);
            else
                Ok(_maps.Conntrack.Delete(key));
        }
    }

    /// <summary>Sets the clock of every flow back.</summary>
    public void Age(uint seconds) => ChangeConntrack((_, value) => value with
    {
        Seen = value.Seen - Coarse(seconds),
        FoldedPackets = value.FoldedPackets - (value.Flags.HasFlag(ConntrackFlags.Lost) ? Coarse(seconds) : 0),
    });

    /// <param name="deadBackendSeconds">0: connections of backends that are gone are left alone.</param>
    public SweepValue Sweep(uint deadBackendSeconds = 0)
    {
        var context = new SweepValue { DeadBackendSeconds = deadBackendSeconds };
        Ground.Sweep.TestRun([], context: MemoryMarshal.AsBytes(new Span<SweepValue>(ref context)), repeat: 0);
        return context;
    }

    public CountersValue CountersOf(BackendSpec backend) =>
        _maps.Counters.TryGet(backend.Id, out var value)
            ? value
            : throw new InvalidOperationException($"backend {backend.Id} has no counters");

    public void ForgetFragments()
    {
        foreach (var (key, _) in _fragments.ReadAll<FragmentKey, FragmentValue>())
            _fragments.Delete(in key);
    }

    public void AgeFragments(uint seconds)
    {
        foreach (var (key, value) in FragmentEntries)
        {
            var aged = value with { Seen = value.Seen - Coarse(seconds) };
            _fragments.Update(in key, in aged);
        }
    }

    public IReadOnlyList<KeyValuePair<FragmentKey, FragmentValue>> FragmentEntries => _fragments.ReadAll<FragmentKey, FragmentValue>();

    public ulong Count(Hook hook, Reason reason) => Counts(hook, reason).Packets;

    public CountValue Counts(Hook hook, Reason reason)
    {
        var map = _maps.Reasons;
        uint index = ((uint)hook * (map.Info.MaxEntries / 4)) + (uint)reason;
        Span<byte> perCpu = stackalloc byte[map.UserValueSize];
        map.TryLookup(MemoryMarshal.AsBytes(new Span<uint>(ref index)), perCpu);
        CountValue sum = default;
        foreach (var value in MemoryMarshal.Cast<byte, CountValue>(perCpu))
            sum = new CountValue { Packets = sum.Packets + value.Packets, Bytes = sum.Bytes + value.Bytes };
        return sum;
    }

    /// <summary>All counters of a hook, by reason.</summary>
    public ulong[] AllCounts(Hook hook) =>
        [.. Enumerable.Range(0, (int)_maps.Reasons.Info.MaxEntries / 4).Select(reason => Count(hook, (Reason)reason))];

    public void PutDevice(GroundDevice device, DeviceFlags flags, ushort? mtu = null) => Put(_maps.Devices, device.Index, new DeviceValue
    {
        SourceV4 = device.SourceV4,
        SourceV6 = device.SourceV6,
        Mac = device.Mac,
        Mtu = mtu ?? device.Mtu,
        Flags = flags,
    });

    public static FrontendKey KeyOf(FrontendOf frontend, Protocol protocol) =>
        new() { Address = frontend.Address, Port = new BigEndian16(frontend.Port), Protocol = protocol };

    private static void Put<TKey, TValue>(IBpfMap<TKey, TValue> map, TKey key, in TValue value)
        where TKey : unmanaged
        where TValue : unmanaged
        => Ok(map.Put(key, value));

    private static void Ok(MapWrite write)
    {
        if (!write.Succeeded)
            throw new InvalidOperationException($"a map write failed: {write.Error} {write.ErrnoName}");
    }

    private static void Clear<TKey, TValue>(IBpfMap<TKey, TValue> map)
        where TKey : unmanaged
        where TValue : unmanaged
    {
        foreach (var (key, _) in map.ReadAll())
            Ok(map.Delete(key));
    }

    private static BackendSpec WithId(BackendSpec backend, ServiceSpec? before)
    {
        if (backend.Id != 0)
            return backend;

        var same = before?.Backends.FirstOrDefault(old => old.Address == backend.Address && old.Port == backend.Port);
        return backend with { Id = same?.Id ?? ++s_lastBackendId };
    }

    // Never the range it had: programs may be reading that.
    private SlotRange WriteSlots(ServiceSpec spec, BackendFlags list)
    {
        uint[] ids = [.. spec.Backends.Where(backend => backend.Lists.HasFlag(list)).Select(backend => backend.Id)];
        var range = new SlotRange { Base = _lastSlot, Count = (uint)ids.Length };
        _maps.Slots.Write(range.Base, ids);
        _lastSlot += range.Count;
        return range;
    }

    private void Clear()
    {
        Clear(_maps.Frontends);
        Clear(_maps.Vips);
        Clear(_maps.Services);
        Clear(_maps.Backends);
        Clear(_maps.NodeAddresses);
        Clear(_maps.ServiceCidrs);
        Clear(_maps.SourceRanges);
        Clear(_maps.Conntrack);
        Clear(_maps.Devices);
        Clear(_maps.Counters);
        Clear(_maps.Affinity);
        ForgetFragments();
    }
}
