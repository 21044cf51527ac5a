// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Audit;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Maps;
using EbpfLb.Datapath.Sync;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Tests;

/// <summary>What somebody else may do to the maps of <see cref="Changes"/>: one entry of one map at a time.</summary>
internal sealed record Tamper(string Map, DivergenceKind Kind, Action<ILbMaps> Do)
{
    private static DesiredService Web { get; } = new(new ObjectName("shop", "web"),
    [
        new DesiredPort
        {
            Key = new ServicePortKey(new ObjectName("shop", "web"), "http", Protocol.Tcp, AddressFamily.IPv4),
            Frontends =
            [
                Frontend("10.96.0.10", 80, FrontendKind.ClusterIP), Frontend("203.0.113.10", 80, FrontendKind.LoadBalancer),
                Frontend("0.0.0.0", 30080, FrontendKind.NodePort),
            ],
            Backends = [new Backend(Address.Parse("10.244.1.11"), 8080, BackendFlags.InCluster), new Backend(Address.Parse("10.244.1.12"), 8080, BackendFlags.InCluster)],
            HasEndpoints = true,
            Algorithm = Algorithm.Maglev,
            MaglevTableSize = 251,
            SourceRanges = [AddressPrefix.Parse("192.0.0.0/16"), AddressPrefix.Parse("192.0.2.0/24")],
        },
    ]);

    private static DesiredService Dns { get; } = new(new ObjectName("kube-system", "dns"),
    [
        new DesiredPort
        {
            Key = new ServicePortKey(new ObjectName("kube-system", "dns"), "", Protocol.Udp, AddressFamily.IPv6),
            Frontends = [new Frontend(new FrontendAddress(Address.Parse("fd00:96::a"), 53, Protocol.Udp), FrontendKind.ClusterIP)],
            Backends = [new Backend(Address.Parse("fd00:244::2"), 53, BackendFlags.InCluster)],
            HasEndpoints = true,
        },
    ]);

    /// <summary>Has entries in every map of services, a Maglev table, and a prefix within another in each trie.</summary>
    public static DesiredChanges Changes { get; } = new([Web, Dns], [], [], [])
    {
        ServiceCidrs = [AddressPrefix.Parse("10.96.0.0/16"), AddressPrefix.Parse("10.96.8.0/24")],
    };

    public static IReadOnlyList<Tamper> All { get; } =
    [
        new(MapNames.Frontends, DivergenceKind.Missing, maps => maps.Frontends.Delete(First(maps.Frontends).Key)),
        new(MapNames.Frontends, DivergenceKind.Changed, maps => maps.Frontends.Put(
            First(maps.Frontends).Key, First(maps.Frontends).Value with { Flags = FrontendFlags.ExternalIP })),
        new(MapNames.Frontends, DivergenceKind.Extra, maps => maps.Frontends.Put(
            First(maps.Frontends).Key with { Port = new BigEndian16(4711) }, First(maps.Frontends).Value)),
        new(MapNames.Vips, DivergenceKind.Missing, maps => maps.Vips.Delete(First(maps.Vips).Key)),
        new(MapNames.Vips, DivergenceKind.Changed, maps => maps.Vips.Put(First(maps.Vips).Key, new VipValue { Flags = (VipFlags)2 })),
        new(MapNames.Vips, DivergenceKind.Extra, maps => maps.Vips.Put(Address.Parse("10.96.0.99"), default)),
        new(MapNames.Services, DivergenceKind.Missing, maps => maps.Services.Delete(First(maps.Services).Key)),
        new(MapNames.Services, DivergenceKind.Changed, maps => maps.Services.Put(
            First(maps.Services).Key, First(maps.Services).Value with { AffinityTimeoutSeconds = 77 })),
        new(MapNames.Services, DivergenceKind.Extra, maps => maps.Services.Put(4711, default)),
        new(MapNames.Slots, DivergenceKind.Changed, maps => maps.Slots.Write(
            maps.Services.ReadAll().First(entry => entry.Value.Cluster.Count > 100).Value.Cluster.Base + 50, [4711])),
        new(MapNames.Backends, DivergenceKind.Missing, maps => maps.Backends.Delete(First(maps.Backends).Key)),
        new(MapNames.Backends, DivergenceKind.Changed, maps => maps.Backends.Put(
            First(maps.Backends).Key, First(maps.Backends).Value with { Port = new BigEndian16(9) })),
        new(MapNames.Backends, DivergenceKind.Extra, maps => maps.Backends.Put(4711, First(maps.Backends).Value with { Port = new BigEndian16(9) })),
        new(MapNames.ServiceNames, DivergenceKind.Missing, maps => maps.ServiceNames.Delete(First(maps.ServiceNames).Key)),
        new(MapNames.ServiceNames, DivergenceKind.Changed, maps => maps.ServiceNames.Put(
            First(maps.ServiceNames).Key, First(maps.ServiceNames).Value with { Name = "shop/other" })),
        new(MapNames.ServiceNames, DivergenceKind.Extra, maps => maps.ServiceNames.Put(4711, First(maps.ServiceNames).Value)),
        new(MapNames.SourceRanges, DivergenceKind.Missing, maps => maps.SourceRanges.Delete(Range(maps, "192.0.2.0/24"))),
        new(MapNames.SourceRanges, DivergenceKind.Extra, maps => maps.SourceRanges.Put(Range(maps, "192.0.2.7/32"), default)),
        new(MapNames.ServiceCidrs, DivergenceKind.Missing, maps => maps.ServiceCidrs.Delete(Encoding.Cidr(AddressPrefix.Parse("10.96.8.0/24")))),
        new(MapNames.ServiceCidrs, DivergenceKind.Extra, maps => maps.ServiceCidrs.Put(Encoding.Cidr(AddressPrefix.Parse("10.96.9.0/24")), default)),
        new(MapNames.Counters, DivergenceKind.Missing, maps => maps.Counters.Delete(First(maps.Counters).Key)),
        new(MapNames.Counters, DivergenceKind.Extra, maps => maps.Counters.Put(4711, default)),
        new(MapNames.ServiceCounters, DivergenceKind.Extra, maps => maps.ServiceCounters.Put(4711, default)),
        new(MapNames.Settings, DivergenceKind.Changed, maps => maps.NodePorts.Range = new NodePortRange(1, 2)),
    ];

    public override string ToString() => $"{Map} {Kind}";

    private static Frontend Frontend(string address, ushort port, FrontendKind kind) =>
        new(new FrontendAddress(Address.Parse(address), port, Protocol.Tcp), kind);

    private static SourceRangeKey Range(ILbMaps maps, string prefix) =>
        Encoding.Range(AddressPrefix.Parse(prefix), First(maps.SourceRanges).Key.ServiceId);

    private static KeyValuePair<TKey, TValue> First<TKey, TValue>(IBpfMap<TKey, TValue> map)
        where TKey : unmanaged
        where TValue : unmanaged => map.ReadAll().OrderBy(entry => entry.Key.ToString(), StringComparer.Ordinal).First();
}
