// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Maglev;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.State;
using static EbpfLb.LoadBalancing.Tests.Objects;

namespace EbpfLb.LoadBalancing.Tests.Desired;

public sealed class DesiredStateTests
{
    private static readonly DesiredStateOptions Options = new() { NodeName = ThisNode };
    private static readonly Service Web = Service("default/web", "10.96.0.1");
    private readonly ClusterStateWriter _writer = OpenWriter();
    private readonly DesiredState _desired = new(Options);

    [Fact]
    public void A_service_has_one_frontend_for_its_ClusterIP_and_the_backends_of_its_slices()
    {
        var changes = Update(Change(Web, Slice("default/web-1", "default/web", Ready("10.244.0.2"), Ready("10.244.0.1"))));
        var service = Assert.Single(changes.Upserted);
        var port = Assert.Single(service.Ports);
        Assert.Equal(Key("default/web"), port.Key);
        Assert.Equal([new Frontend(Frontend("10.96.0.1"), FrontendKind.ClusterIP)], port.Frontends);
        Assert.Equal([Backend("10.244.0.1"), Backend("10.244.0.2")], port.Backends);
        Assert.True(port.HasEndpoints);
        Assert.Equal(service, _desired.Services[Web.Name]);
    }

    [Fact]
    public void A_service_without_endpoints_keeps_its_frontends_so_that_they_refuse()
    {
        Update(Change(Web));
        var port = Assert.Single(_desired.Services[Web.Name].Ports);
        Assert.Single(port.Frontends);
        Assert.True(port.Backends.IsEmpty);
        Assert.False(port.HasEndpoints);
    }

    [Fact]
    public void S121_When_the_last_slice_goes_the_frontends_stay_and_the_backends_go()
    {
        Update(Change(Web, Slice("default/web-1", "default/web", Terminating("10.244.0.1") with { Serving = false })));
        Assert.False(_desired.Services[Web.Name].Ports[0].HasEndpoints);
        var changes = Update(new ClusterChange { RemovedSlices = [Name("default/web-1")] });
        Assert.Single(changes.Upserted);
        Assert.Single(_desired.Services[Web.Name].Ports[0].Frontends);
        Assert.True(_desired.Services[Web.Name].Ports[0].Backends.IsEmpty);
    }

    [Fact]
    public void Dual_stack_is_one_port_for_each_family_with_the_backends_of_that_family()
    {
        Update(Change(
            Web with { ClusterIPs = Addresses("fd00:10:96::1", "10.96.0.1") },
            Slice("default/web-4", "default/web", Ready("10.244.0.1")),
            Slice("default/web-6", "default/web", Ready("fd00:10:244::1"))));
        var ports = _desired.Services[Web.Name].Ports;
        Assert.Equal([Key("default/web"), Key("default/web", family: AddressFamily.IPv6)], ports.Select(static port => port.Key));
        Assert.Equal([Backend("10.244.0.1")], ports[0].Backends);
        Assert.Equal([Backend("fd00:10:244::1")], ports[1].Backends);
        Assert.Equal(Frontend("fd00:10:96::1"), ports[1].Frontends[0].Key);
    }

    [Fact]
    public void Ports_of_one_number_and_two_protocols_are_two_ports()
    {
        Update(Change(Service("default/dns", "10.96.0.10", new("dns", Protocol.Udp, 53), new("dns-tcp", Protocol.Tcp, 53))));
        Assert.Equal(
            [Frontend("10.96.0.10", 53, Protocol.Udp), Frontend("10.96.0.10", 53)],
            _desired.Services[Name("default/dns")].Ports.Select(static port => port.Frontends[0].Key));
        Assert.Empty(_desired.Conflicts);
    }

    [Fact]
    public void Ports_of_one_name_and_protocol_are_one_port_with_two_frontends()
    {
        Update(Change(Service("default/web", "10.96.0.1", Http, Http with { Port = 8080 }, Http)));
        var port = Assert.Single(_desired.Services[Web.Name].Ports);
        Assert.Equal([Frontend("10.96.0.1"), Frontend("10.96.0.1", 8080)], port.Frontends.Select(static frontend => frontend.Key));
        Assert.Empty(_desired.Conflicts);
    }

    [Fact]
    public void Affinity_and_policies_are_those_of_the_service()
    {
        Update(Change(Web with
        {
            AffinityTimeoutSeconds = 10800,
            InternalTrafficPolicy = TrafficPolicy.Local,
            ExternalTrafficPolicy = TrafficPolicy.Local,
        }));
        var port = _desired.Services[Web.Name].Ports[0];
        Assert.Equal(
            (10800u, TrafficPolicy.Local, TrafficPolicy.Local),
            (port.AffinityTimeoutSeconds, port.InternalTrafficPolicy, port.ExternalTrafficPolicy));
    }

    [Fact]
    public void What_did_not_change_is_not_upserted()
    {
        var slice = Slice("default/web-1", "default/web", Ready("10.244.0.1"), Unready("10.244.0.2"));
        Update(Change(Web, slice));

        // Different objects, the same outcome.
        var hinted = Unready("10.244.0.2") with { ZoneHints = ["zone-a"] };
        var changes = Update(Change(Web with { CreatedAt = Time(9) }, slice with { Endpoints = [Ready("10.244.0.1"), hinted] }));
        Assert.True(changes.IsEmpty);
        Assert.True(_desired.Update(_writer.Take().State, _desired.Services.Keys.ToArray()).IsEmpty);
    }

    [Fact]
    public void A_change_touches_its_own_service_alone()
    {
        Update(Change(Web, Service("default/other", "10.96.0.2")));
        var changes = Update(Change(Slice("default/web-1", "default/web", Ready("10.244.0.1"))));
        Assert.Equal([Web.Name], changes.Upserted.Select(static service => service.Name));
        Assert.Empty(changes.Removed);
    }

    [Fact]
    public void A_service_that_goes_is_removed_once()
    {
        Update(Change(Web));
        Assert.Equal([Web.Name], Update(new ClusterChange { RemovedServices = [Web.Name] }).Removed);
        Assert.Empty(_desired.Services);
        Assert.True(_desired.Update(ClusterState.Empty, [Web.Name]).IsEmpty);
    }

    [Fact]
    public void A_service_that_comes_and_goes_between_two_updates_leaves_no_trace()
    {
        _writer.Apply(Change(Web));
        Assert.True(Update(new ClusterChange { RemovedServices = [Web.Name] }).IsEmpty);
    }

    [Fact]
    public void Slices_without_a_service_mean_nothing()
    {
        Assert.True(Update(Change(Slice("default/web-1", "default/web", Ready("10.244.0.1")))).IsEmpty);
        Assert.Single(Assert.Single(Update(Change(Web)).Upserted).Ports[0].Backends);
    }

    [Fact]
    public void A_change_of_zone_decides_anew()
    {
        Update(Change(
            Web,
            new Node(ThisNode, "zone-a"),
            Slice("default/web-1", "default/web", Ready("10.244.0.1").ForZones("zone-a"), Ready("10.244.0.2").ForZones("zone-b"))));
        Assert.Equal(
            [Backend("10.244.0.1"), Backend("10.244.0.2", flags: BackendFlags.None)], _desired.Services[Web.Name].Ports[0].Backends);
        Update(Change(new Node(ThisNode, "zone-b")));
        Assert.Equal(
            [Backend("10.244.0.1", flags: BackendFlags.None), Backend("10.244.0.2")], _desired.Services[Web.Name].Ports[0].Backends);
        Update(Change(new Node(OtherNode, "zone-b")));
        Assert.Equal(2, _desired.Services[Web.Name].Ports[0].Backends.Count);
    }

    [Fact]
    public void S125_An_endpoint_that_moves_between_slices_is_one_backend_all_the_way()
    {
        var first = Slice("default/web-1", "default/web", Ready("10.244.0.1"), Ready("10.244.0.2"));
        var second = Slice("default/web-2", "default/web", Ready("10.244.0.3"));
        Update(Change(Web, first, second));

        // In both.
        Assert.True(Update(Change(second with { Endpoints = [Ready("10.244.0.2"), Ready("10.244.0.3")] })).IsEmpty);
        Assert.True(Update(Change(first with { Endpoints = [Ready("10.244.0.1")] })).IsEmpty);

        // In neither, for a moment.
        Update(Change(second));
        Assert.Equal([Backend("10.244.0.1"), Backend("10.244.0.3")], _desired.Services[Web.Name].Ports[0].Backends);
        Update(Change(first));
        Assert.Equal(3, _desired.Services[Web.Name].Ports[0].Backends.Count);
    }

    [Theory]
    [InlineData(null, Algorithm.Random, Algorithm.Random, 0)]
    [InlineData(null, Algorithm.Maglev, Algorithm.Maglev, 509)]
    [InlineData(Algorithm.Random, Algorithm.Maglev, Algorithm.Random, 0)]
    [InlineData(Algorithm.Maglev, Algorithm.Random, Algorithm.Maglev, 509)]
    public void The_algorithm_is_that_of_the_service_or_else_the_default(
        Algorithm? asked, Algorithm byDefault, Algorithm expected, int expectedSize)
    {
        var state = StateOf(
            Web with { Algorithm = asked },
            Slice("default/web-1", "default/web", Ready("10.244.0.1"), Ready("10.244.0.2"), Ready("10.244.0.3")));
        var port = FromScratch(state, Options with { DefaultAlgorithm = byDefault }).Services[Web.Name].Ports[0];
        Assert.Equal((expected, expectedSize), (port.Algorithm, port.MaglevTableSize));
    }

    [Theory]
    [InlineData(0, 0, 3, 509, false)]
    [InlineData(0, 65521, 3, 65521, false)]
    [InlineData(1021, 65521, 3, 1021, false)]
    [InlineData(7, 65521, 3, 65521, false)] // no size at all: as if the service had named none
    [InlineData(0, 65521, 0, 0, false)]
    [InlineData(251, 0, 252, 509, true)]
    public void S111_The_table_size_is_that_of_the_service_or_else_the_default_and_never_below_the_number_of_backends(
        int asked, int byDefault, int backends, int expected, bool expectTooSmall)
    {
        var endpoints = Enumerable.Range(0, backends).Select(static n => Ready($"10.244.{n / 250}.{n % 250}")).ToArray();
        var state = StateOf(
            Web with { Algorithm = Algorithm.Maglev, MaglevTableSize = asked }, Slice("default/web-1", "default/web", endpoints));
        var options = Options with { Maglev = new MaglevOptions { TableSize = byDefault } };
        var port = FromScratch(state, options).Services[Web.Name].Ports[0];
        Assert.Equal((expected, expectTooSmall), (port.MaglevTableSize, port.MaglevTableTooSmall));
    }

    [Fact]
    public void S110_However_endpoints_are_sliced_and_whenever_they_arrive_every_node_builds_the_same_table()
    {
        var endpoints = Enumerable.Range(1, 50).Select(static n => Ready($"10.244.0.{n}", n % 2 == 0 ? ThisNode : OtherNode)).ToArray();
        var maglev = Web with { Algorithm = Algorithm.Maglev };
        int[]? expected = null;
        foreach (int slices in new[] { 1, 5, 50 })
        {
            foreach (string node in new[] { ThisNode, OtherNode })
            {
                var random = new Random(slices);
                random.Shuffle(endpoints);
                ClusterChange[] arrivals =
                [
                    Change(maglev),
                    .. endpoints.Chunk(50 / slices).Select(static (chunk, n) => Change(Slice($"default/web-{n}", "default/web", chunk))),
                ];
                random.Shuffle(arrivals);

                var writer = OpenWriter();
                var desired = new DesiredState(Options with { NodeName = node });
                foreach (var arrival in arrivals)
                {
                    writer.Apply(arrival);
                    var delta = writer.Take();
                    desired.Update(delta.State, delta.Dirty);
                }

                var port = desired.Services[Web.Name].Ports[0];
                int[] table = MaglevTable.Build(
                    port.Backends.AsSpan(), port.Key.Protocol, port.MaglevTableSize, Options.Maglev.Seed.AsSpan());
                expected ??= table;
                Assert.Equal(50, port.Backends.Count);
                Assert.Equal(expected, table);
            }
        }
    }

    private DesiredChanges Update(ClusterChange change)
    {
        _writer.Apply(change);
        var delta = _writer.Take();
        return _desired.Update(delta.State, delta.Dirty);
    }
}
