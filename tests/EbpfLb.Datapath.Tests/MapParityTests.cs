// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Maps;
using EbpfLb.Datapath.Sync;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Tests;

/// <summary>The maps in memory answer like the kernel's; only so may tests on them speak for it.</summary>
public sealed class MapParityTests : IDisposable
{
    private static readonly Dictionary<string, uint> Sizes =
        new() { [MapNames.Backends] = 3, [MapNames.SourceRanges] = 3, [MapNames.Slots] = 64 };

    private readonly KernelDatapath _kernel = new();

    public void Dispose() => _kernel.Dispose();

    [PrivilegedFact]
    public async Task Hash_maps_behave_alike()
    {
        using var datapath = await _kernel.OpenAsync(Sizes);
        Assert.Equal(Use(new InMemoryMaps(Sizes)), Use(datapath.Maps));
    }

    [PrivilegedFact]
    public async Task The_same_services_leave_the_same_maps()
    {
        using var datapath = await _kernel.OpenAsync();
        Assert.Equal(Program(new InMemoryMaps()), Program(datapath.Maps));
    }

    private static List<string> Use(ILbMaps maps)
    {
        var seen = new List<string>();
        void See(object value) => seen.Add($"{value}");

        BackendValue Value(ushort port) => new() { Address = Address.Parse("10.244.1.11"), Port = new BigEndian16(port), ServiceId = 7 };
        See(maps.Backends.Delete(1).Error);
        for (uint id = 1; id <= 4; id++)
            See(maps.Backends.Put(id, Value((ushort)id)).Error);
        See(maps.Backends.Put(2, Value(99)).Error);
        See(maps.Backends.TryGet(2, out var second));
        See(second);
        See(maps.Backends.TryGet(4, out _));
        See(maps.Backends.Delete(1).Error);
        See(maps.Backends.Put(4, Value(4)).Error);
        See(maps.Backends.MaxEntries);
        See(maps.Backends.Name);
        foreach (var (id, value) in maps.Backends.ReadAll().OrderBy(entry => entry.Key))
            See((id, value));

        UseTrie(maps, See);
        See(maps.NodePorts.Range);
        maps.NodePorts.Range = new NodePortRange(30000, 32767);
        See(maps.NodePorts.Range);
        See(maps.Slots.Capacity);
        maps.Slots.Write(3, [1, 2, 3]);
        var slots = new uint[5];
        maps.Slots.Read(2, slots);
        See(string.Join(",", slots));
        return seen;
    }

    // The key is looked up as it was put, and a prefix of one service is none of another.
    private static void UseTrie(ILbMaps maps, Action<object> see)
    {
        SourceRangeKey Key(uint service, string prefix) => Encoding.Range(AddressPrefix.Parse(prefix), service);

        see(maps.SourceRanges.Delete(Key(1, "10.0.0.0/8")).Error);
        foreach (string prefix in new[] { "10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32" })
            see(maps.SourceRanges.Put(Key(1, prefix), default).Error);
        see(maps.SourceRanges.Put(Key(2, "10.0.0.0/8"), default).Error);
        see(maps.SourceRanges.Delete(Key(1, "10.0.0.0/8")).Error);
        see(maps.SourceRanges.Delete(Key(1, "10.0.0.0/8")).Error);
        see(maps.SourceRanges.Put(Key(2, "10.0.0.0/8"), default).Error);
        see(maps.SourceRanges.TryGet(Key(2, "10.0.0.0/8"), out _));
        foreach (var key in maps.SourceRanges.ReadAll().Select(entry => entry.Key).OrderBy(key => (key.ServiceId, key.Address)))
            see((key.ServiceId, Encoding.Prefix(key)));
    }

    private static string Program(ILbMaps maps)
    {
        var cluster = new Cluster(maps);
        cluster.Apply(Cluster.Service("web", "10.96.0.10"), Cluster.Slice("web", "10.244.1.11", "10.244.1.12"));
        cluster.Apply(
            Cluster.Service("six", "fd00:10:96::1", with: service => service with { Algorithm = Algorithm.Maglev, AffinityTimeoutSeconds = 60 }),
            Cluster.Slice("six", "fd00:10:244:1::11", "fd00:10:244:1::12", "fd00:10:244:1::13"));
        cluster.Apply(
            Cluster.Service("out", "10.96.0.20", with: service => service with
            {
                Ports = [new ServicePort("", Protocol.Tcp, 80, 30080)],
                LoadBalancerIPs = [Address.Parse("198.51.100.1")],
                LoadBalancerSourceRanges = [AddressPrefix.Parse("192.0.2.0/28"), AddressPrefix.Parse("192.0.2.0/24")],
            }),
            Cluster.Slice("out", "10.244.1.21"));
        cluster.Remove("web");
        Assert.Equal(0, cluster.Restart().MapWrites);
        Assert.Empty(cluster.Inconsistencies);
        return cluster.Text;
    }
}
