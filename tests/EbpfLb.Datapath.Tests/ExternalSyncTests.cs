// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Maps;
using EbpfLb.Datapath.Sync;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;
using static EbpfLb.Datapath.Tests.Cluster;

namespace EbpfLb.Datapath.Tests;

/// <summary>Node ports, source ranges, counters and service CIDRs. The writes are looked at one by one where their order matters.</summary>
public sealed class ExternalSyncTests
{
    private InMemoryMaps _maps = null!;
    private Action _beforeEachWrite = () => { };
    private Func<MapWrite?> _fault = () => null;

    public ExternalSyncTests() => UseMaps();

    [Fact]
    public void The_range_of_node_ports_holds_each_of_them_at_every_moment_and_shrinks_when_they_go()
    {
        _beforeEachWrite = () => Assert.All(
            _maps.Frontends.ReadAll().Where(entry => entry.Key.Address.IsAny),
            entry => Assert.True(_maps.NodePorts.Range.Contains(entry.Key.Port.Value)));
        var cluster = new Cluster(_maps);
        Assert.Equal(NodePortRange.None, cluster.Sync.NodePortRange);

        cluster.Apply(NodePort("a", "10.96.0.1", 30080), NodePort("b", "10.96.0.2", 31000));
        Assert.Equal(new NodePortRange(30080, 31000), cluster.Sync.NodePortRange);
        cluster.Apply(NodePort("a", "10.96.0.1", 30090));
        Assert.Equal(new NodePortRange(30090, 31000), cluster.Sync.NodePortRange);
        Assert.DoesNotContain(_maps.Vips.ReadAll(), entry => entry.Key.IsAny);

        cluster.Restart();
        Assert.Equal(new NodePortRange(30090, 31000), cluster.Sync.NodePortRange);
        cluster.Remove("b");
        Assert.Equal(new NodePortRange(30090, 30090), cluster.Sync.NodePortRange);
        cluster.Remove("a");
        Assert.Equal(NodePortRange.None, cluster.Sync.NodePortRange);
    }

    [Fact]
    public void A_family_is_served_outside_while_a_service_of_it_has_a_frontend_there()
    {
        var cluster = new Cluster(_maps);
        Assert.False(cluster.Sync.ServesOutside(AddressFamily.IPv4));
        cluster.Apply(NodePort("a", "10.96.0.1", 30080));
        cluster.Apply(NodePort("a", "10.96.0.1", 30090), NodePort("b", "10.96.0.2", 31000));
        Assert.True(cluster.Sync.ServesOutside(AddressFamily.IPv4));
        Assert.False(cluster.Sync.ServesOutside(AddressFamily.IPv6));
        cluster.Remove("a");
        Assert.True(cluster.Sync.ServesOutside(AddressFamily.IPv4));
        cluster.Remove("b");
        Assert.False(cluster.Sync.ServesOutside(AddressFamily.IPv4));
    }

    [Fact]
    public void A_range_of_node_ports_that_was_lost_is_there_again_after_a_restart()
    {
        var cluster = new Cluster(_maps);
        cluster.Apply(NodePort("a", "10.96.0.1", 30080));
        _maps.NodePorts.Range = default;
        Assert.NotEmpty(cluster.Inconsistencies);
        cluster.Restart();
        Assert.Equal(new NodePortRange(30080, 30080), _maps.NodePorts.Range);
        Assert.Empty(cluster.Inconsistencies);
    }

    [Theory]
    [InlineData("", "192.0.2.0/28")]
    [InlineData("192.0.2.0/28", "")]
    [InlineData("192.0.2.0/28 10.0.0.0/8", "192.0.2.0/28 10.1.0.0/16")]
    [InlineData("10.0.0.0/8 192.0.2.0/28", "192.0.2.0/24")]
    public void A_source_that_is_admitted_before_and_after_is_admitted_all_the_time(string before, string after)
    {
        var cluster = new Cluster(_maps);
        cluster.Apply(Balanced(before), Slice("web", "10.244.1.11"));
        int looked = 0;
        _beforeEachWrite = () =>
        {
            looked++;
            Assert.True(Admits("192.0.2.1"));
        };
        cluster.Apply(Balanced(after));
        Assert.True(looked > 0);
        Assert.Equal(Prefixes(after).Count, _maps.SourceRanges.ReadAll().Count);
        Assert.Empty(cluster.Inconsistencies);
        Assert.Equal(0, cluster.Restart().MapWrites);
    }

    [Fact]
    public void S21_A_load_balancer_frontend_that_cannot_be_deleted_keeps_its_ranges()
    {
        var cluster = new Cluster(_maps);
        cluster.Apply(Balanced("192.0.2.0/28"), Slice("web", "10.244.1.11"));
        bool failing = true;
        _fault = () => failing && _maps.Frontends.ReadAll().Count == 2 ? new MapWrite(MapError.Failed, "EINVAL") : null;

        var report = cluster.Apply(Service("web", "10.96.0.10"));
        Assert.Equal(MapNames.Frontends, Assert.Single(report.Failures).Map);
        Assert.False(Admits("198.18.0.1"));
        Assert.True(Admits("192.0.2.1"));

        failing = false;
        cluster.ReconcileUntilClean();
        Assert.Empty(_maps.SourceRanges.ReadAll());
        Assert.Equal("default/web TCP IPv4\n  frontend 10.96.0.10:80/TCP\n  cluster 10.244.1.11:8080\n", cluster.Text);
    }

    [Fact]
    public void S21_Ranges_that_somebody_left_are_gone_after_a_restart()
    {
        var cluster = new Cluster(_maps);
        cluster.Apply(Balanced("192.0.2.0/28"), Slice("web", "10.244.1.11"));
        string expected = cluster.Text;
        uint id = Assert.Single(_maps.Services.ReadAll()).Key;
        _maps.SourceRanges.Put(Encoding.Range(AddressPrefix.Parse("198.18.0.0/15"), id), default);
        _maps.SourceRanges.Put(Encoding.Range(AddressPrefix.Parse("198.18.0.0/15"), id + 100), default);
        cluster.Restart();
        Assert.Equal(expected, cluster.Text);
        Assert.Single(_maps.SourceRanges.ReadAll());
    }

    [Fact]
    public void Ranges_that_do_not_fit_leave_a_new_service_out_and_an_old_one_as_it_was()
    {
        UseMaps(new Dictionary<string, uint> { [MapNames.SourceRanges] = 2 });
        var cluster = new Cluster(_maps);
        Assert.True(Assert.Single(cluster.Apply(Balanced("10.1.0.0/16 10.2.0.0/16 10.3.0.0/16")).Failures).IsAbsent);
        Assert.Equal("", cluster.Text);
        Assert.Empty(_maps.SourceRanges.ReadAll());

        Assert.True(cluster.Apply(Balanced("10.1.0.0/16")).IsClean);
        string before = cluster.Text;
        var failure = Assert.Single(cluster.Apply(Balanced("10.1.0.0/16 10.2.0.0/16 10.3.0.0/16")).Failures);
        Assert.Equal((MapNames.SourceRanges, MapError.Full, false), (failure.Map, failure.Error, failure.IsAbsent));
        Assert.Equal(before, cluster.Text);
        Assert.Empty(cluster.Inconsistencies);
    }

    [Fact]
    public void A_backend_is_counted_before_its_service_names_it_and_a_restart_does_not_touch_what_it_counted()
    {
        _beforeEachWrite = () => Assert.All(
            _maps.Services.ReadAll().Where(entry => entry.Value.Cluster.Count > 0),
            entry => Assert.All(_maps.Backends.ReadAll(), backend => Assert.True(
                backend.Value.ServiceId != entry.Key || !IsNamed(entry.Value, backend.Key) || _maps.Counters.TryGet(backend.Key, out _))));
        var cluster = new Cluster(_maps);
        cluster.Apply(Service("web", "10.96.0.10"), Slice("web", "10.244.1.11"));
        uint first = Assert.Single(_maps.Counters.ReadAll()).Key;
        Count(first, 7);
        Assert.Equal(0, cluster.Restart().MapWrites);
        Assert.Equal(7u, Counted(_maps.Counters, first).Connections);
        cluster.Apply(Slice("web", "10.244.1.11", "10.244.1.12"));
        Assert.Equal(7u, Counted(_maps.Counters, first).Connections);
    }

    [Fact]
    public void What_backends_counted_goes_to_their_service_when_they_go_and_away_with_it()
    {
        var cluster = new Cluster(_maps);
        cluster.Apply(Service("web", "10.96.0.10"), Slice("web", "10.244.1.11", "10.244.1.12", "10.244.1.13"));
        uint[] ids = [.. _maps.Backends.ReadAll().OrderBy(entry => entry.Value.Address).Select(entry => entry.Key)];
        Count(ids[0], 7);
        Count(ids[1], 5);
        cluster.Apply(Slice("web", "10.244.1.12", "10.244.1.13"));
        cluster.Restart();
        cluster.Apply(Slice("web", "10.244.1.13"));
        cluster.Apply(Slice("web", "10.244.1.14"));

        uint service = Assert.Single(_maps.Services.ReadAll()).Key;
        Assert.Equal(
            new CountersValue { Connections = 12, PacketsIn = 120, BytesIn = 1200, PacketsOut = 12_000, BytesOut = 120_000 },
            Counted(_maps.ServiceCounters, service));
        Assert.Single(_maps.Counters.ReadAll());

        cluster.Remove("web");
        Assert.Empty(_maps.Counters.ReadAll());
        Assert.Empty(_maps.ServiceCounters.ReadAll());
    }

    [Fact]
    public void Counts_are_moved_once_however_often_it_fails()
    {
        var random = new Random(1);
        for (int run = 0; run < 50; run++)
        {
            _fault = () => null;
            UseMaps();
            var cluster = new Cluster(_maps);
            cluster.Apply(Service("web", "10.96.0.10"), Slice("web", "10.244.1.11", "10.244.1.12"));
            foreach (var (id, _) in _maps.Backends.ReadAll())
                Count(id, 3);
            _fault = () => random.Next(3) == 0 ? new MapWrite(MapError.OutOfMemory, "ENOMEM") : null;
            cluster.Apply(Slice("web", "10.244.1.13"));
            cluster.ReconcileUntilClean();
            Assert.Equal(6u, Counted(_maps.ServiceCounters, Assert.Single(_maps.Services.ReadAll()).Key).Connections);
            Assert.Single(_maps.Counters.ReadAll());
        }
    }

    [Fact]
    public void Backends_are_served_without_counters_when_there_is_no_room_and_counted_when_there_is()
    {
        UseMaps(new Dictionary<string, uint> { [MapNames.Counters] = 1 });
        var cluster = new Cluster(_maps);
        var report = cluster.Apply(
            Service("a", "10.96.0.1"), Slice("a", "10.244.1.11"), Service("b", "10.96.0.2"), Slice("b", "10.244.1.12"));
        Assert.True(report.IsClean);
        Assert.Equal(2, _maps.Backends.ReadAll().Count);
        Assert.Equal(1, cluster.Sync.UncountedBackends);
        Assert.Equal(1, cluster.Restart().MapWrites); // one more try

        cluster.Remove("a");
        cluster.Reconcile();
        Assert.Equal(0, cluster.Sync.UncountedBackends);
        Assert.Equal(Assert.Single(_maps.Backends.ReadAll()).Key, Assert.Single(_maps.Counters.ReadAll()).Key);
    }

    [Fact]
    public void Counters_that_nobody_has_are_gone_after_a_restart_and_missing_ones_there()
    {
        var cluster = new Cluster(_maps);
        cluster.Apply(Service("web", "10.96.0.10"), Slice("web", "10.244.1.11"));
        uint id = Assert.Single(_maps.Backends.ReadAll()).Key;
        _maps.Counters.Delete(id);
        _maps.Counters.Put(77, default);
        _maps.ServiceCounters.Put(78, default);
        cluster.Restart();
        Assert.Equal(id, Assert.Single(_maps.Counters.ReadAll()).Key);
        Assert.Empty(_maps.ServiceCounters.ReadAll());
    }

    [Fact]
    public void Service_CIDRs_come_at_once_and_go_only_when_every_source_has_told_all()
    {
        var sync = DatapathSync.Restore(_maps, new DatapathSyncOptions(), new ManualTime());
        sync.Apply(Cidrs("10.96.0.0/16 fd00:10:96::/112"), complete: true);
        Assert.Equal([112u, 112u], _maps.ServiceCidrs.ReadAll().Select(entry => entry.Key.PrefixBits));

        sync = DatapathSync.Restore(_maps, new DatapathSyncOptions(), new ManualTime());
        sync.Apply(Cidrs("10.97.0.0/16"), complete: false);
        Assert.Equal(3, _maps.ServiceCidrs.ReadAll().Count);
        sync.Apply(Nothing, complete: true);
        Assert.Equal("10.97.0.0", Assert.Single(_maps.ServiceCidrs.ReadAll()).Key.Address.ToString());

        // There may be others that nobody can tell of.
        sync = DatapathSync.Restore(_maps, new DatapathSyncOptions(), new ManualTime());
        sync.Apply(Cidrs("10.98.0.0/16") with { ServiceCidrsArePartial = true }, complete: true);
        Assert.Equal(2, _maps.ServiceCidrs.ReadAll().Count);
        sync.Apply(Nothing, complete: true);
        Assert.Equal("10.98.0.0", Assert.Single(_maps.ServiceCidrs.ReadAll()).Key.Address.ToString());

        // Nobody has any: those that were restored go.
        sync = DatapathSync.Restore(_maps, new DatapathSyncOptions(), new ManualTime());
        sync.Apply(Nothing, complete: true);
        Assert.Empty(_maps.ServiceCidrs.ReadAll());
    }

    [Fact]
    public void A_service_CIDR_that_does_not_fit_is_a_failure_under_its_name()
    {
        UseMaps(new Dictionary<string, uint> { [MapNames.ServiceCidrs] = 1 });
        var sync = DatapathSync.Restore(_maps, new DatapathSyncOptions(), new ManualTime());
        var failure = Assert.Single(sync.Apply(Cidrs("10.96.0.0/16 10.97.0.0/16"), complete: true).Failures);
        Assert.Equal("ServiceCIDR/10.97.0.0/16", failure.Service.ToString());
        Assert.StartsWith("ServiceCIDR/10.97.0.0/16 is not programmed: svc_cidrs_v1 is full", failure.Message, StringComparison.Ordinal);
        Assert.True(sync.Apply(Cidrs("10.97.0.0/16"), complete: true).IsClean);
    }

    private static DesiredChanges Nothing { get; } = new([], [], [], []);

    private static DesiredChanges Cidrs(string prefixes) => Nothing with { ServiceCidrs = Prefixes(prefixes) };

    private static EquatableArray<AddressPrefix> Prefixes(string prefixes) =>
        prefixes.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(AddressPrefix.Parse).ToEquatableArray();

    private static Service NodePort(string name, string clusterIP, ushort nodePort) =>
        Service(name, clusterIP, with: service => service with { Ports = [new ServicePort("", Protocol.Tcp, 80, nodePort)] });

    private static Service Balanced(string ranges) => Service("web", "10.96.0.10", with: service => service with
    {
        LoadBalancerIPs = [Address.Parse("198.51.100.1")],
        LoadBalancerSourceRanges = Prefixes(ranges),
    });

    private static CountersValue Counted(IBpfMap<uint, CountersValue> map, uint id)
    {
        Assert.True(map.TryGet(id, out var value));
        return value;
    }

    private bool IsNamed(ServiceValue service, uint backend)
    {
        uint[] slots = new uint[service.Cluster.Count];
        _maps.Slots.Read(service.Cluster.Base, slots);
        return slots.Contains(backend);
    }

    private void Count(uint backend, uint n) => _maps.Counters.Put(backend, new CountersValue
    {
        Connections = n,
        PacketsIn = n * 10,
        BytesIn = n * 100,
        PacketsOut = n * 1000,
        BytesOut = n * 10_000,
    });

    /// <summary>As programs decide at the load balancer frontend; where there is none, nobody is.</summary>
    private bool Admits(string source)
    {
        var frontend = _maps.Frontends.ReadAll().SingleOrDefault(entry => entry.Value.Flags.HasFlag(FrontendFlags.LoadBalancer)).Value;
        if (!_maps.Services.TryGet(frontend.ServiceId, out var service))
            return false;

        return !service.Flags.HasFlag(ServiceFlags.SourceRanges) || _maps.SourceRanges.ReadAll().Any(entry =>
            entry.Key.ServiceId == frontend.ServiceId && Encoding.Prefix(entry.Key).Contains(Address.Parse(source)));
    }

    private void UseMaps(IReadOnlyDictionary<string, uint>? sizes = null) => _maps = new InMemoryMaps(sizes, () =>
    {
        _beforeEachWrite();
        return _fault();
    });
}
