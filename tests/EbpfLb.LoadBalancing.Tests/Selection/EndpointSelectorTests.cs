// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.Selection;
using static EbpfLb.LoadBalancing.Tests.Objects;

namespace EbpfLb.LoadBalancing.Tests.Selection;

public sealed class EndpointSelectorTests
{
    private const BackendFlags Lists = BackendFlags.InCluster | BackendFlags.InLocal;
    private const string Zone = "zone-a";
    private static readonly TrafficScope Cluster = new(TrafficPolicy.Cluster, TrafficPolicy.Cluster, ExternallyReachable: false);
    private static readonly TrafficScope Local = new(TrafficPolicy.Local, TrafficPolicy.Cluster, ExternallyReachable: false);
    private static readonly TrafficScope ExternalLocal = new(TrafficPolicy.Cluster, TrafficPolicy.Local, ExternallyReachable: true);
    private readonly EndpointSelector _selector = new(ThisNode);

    [Theory]
    [InlineData(true, true, false, BackendFlags.InCluster)]
    [InlineData(true, false, false, BackendFlags.InCluster)]
    [InlineData(true, true, true, BackendFlags.InCluster)] // publishNotReadyAddresses: the slice says ready and means it
    [InlineData(true, false, true, BackendFlags.InCluster)]
    [InlineData(false, true, true, BackendFlags.InCluster | BackendFlags.Terminating)]
    [InlineData(false, true, false, BackendFlags.None)]
    [InlineData(false, false, true, BackendFlags.None)]
    [InlineData(false, false, false, BackendFlags.None)]
    public void A_lone_endpoint_is_used_when_it_is_ready_or_terminates_and_still_serves(
        bool ready, bool serving, bool terminating, BackendFlags expected)
    {
        var endpoint = Ready("10.244.0.1") with { Ready = ready, Serving = serving, Terminating = terminating };
        var selection = Select(Cluster, endpoint);
        Assert.Equal(expected, selection.Backends is [var backend] ? backend.Flags : BackendFlags.None);
        Assert.Equal(expected != BackendFlags.None, selection.HasEndpoints);
    }

    [Fact]
    public void S119_A_terminating_endpoint_is_not_used_while_another_is_ready() =>
        Assert.Equal([Backend("10.244.0.1")], Select(Cluster, Ready("10.244.0.1"), Terminating("10.244.0.2")).Backends);

    [Fact]
    public void S119_A_terminating_endpoint_keeps_its_flows_of_datagrams_and_gets_no_new_ones()
    {
        var slice = Slice("default/web-1", "default/web", Ready("10.244.0.1"), Terminating("10.244.0.2"), Unserving("10.244.0.3")) with
        {
            Ports = [new("", Protocol.Udp, 8080)],
        };
        Assert.Equal(
            [Backend("10.244.0.1"), Backend("10.244.0.2", flags: BackendFlags.Terminating)],
            _selector.Select([slice], "", Protocol.Udp, AddressFamily.IPv4, Cluster, Zone).Backends);
    }

    [Fact]
    public void Hints_move_new_flows_of_datagrams_only()
    {
        var slice = Slice(
            "default/web-1", "default/web", Ready("10.244.0.1") with { ZoneHints = [Zone] }, Ready("10.244.0.2") with { ZoneHints = ["zone-b"] }) with
        {
            Ports = [new("", Protocol.Udp, 8080)],
        };
        Assert.Equal(
            [Backend("10.244.0.1"), Backend("10.244.0.2", flags: BackendFlags.None)],
            _selector.Select([slice], "", Protocol.Udp, AddressFamily.IPv4, Cluster, Zone).Backends);
    }

    [Fact]
    public void An_endpoint_keeps_its_connections_as_long_as_it_is_there_whatever_it_is_said_to_be()
    {
        var slice = Slice(
            "default/web-1", "default/web", Ready("10.244.0.1"), Unready("10.244.0.2"), Terminating("10.244.0.3"), Unserving("10.244.0.4"));
        Assert.Equal(
            [
                Backend("10.244.0.1"),
                Backend("10.244.0.2", flags: BackendFlags.None),
                Backend("10.244.0.3", flags: BackendFlags.Terminating),
                Backend("10.244.0.4", flags: BackendFlags.None),
            ],
            SelectAll(Cluster, slice).Backends);
    }

    private static Endpoint Unserving(string address) => Terminating(address) with { Serving = false };

    [Fact]
    public void S120_Terminating_endpoints_that_still_serve_are_used_when_no_other_is_left()
    {
        const BackendFlags Terminates = BackendFlags.InCluster | BackendFlags.Terminating;
        Assert.Equal(
            [Backend("10.244.0.1", flags: Terminates | BackendFlags.OnNode), Backend("10.244.0.3", flags: Terminates)],
            Select(Cluster, Terminating("10.244.0.1", ThisNode), Unready("10.244.0.2"), Terminating("10.244.0.3", OtherNode)).Backends);
    }

    [Fact]
    public void S120_The_Local_list_falls_back_although_the_Cluster_list_need_not()
    {
        Assert.Equal(
            [
                Backend("10.244.0.1", flags: BackendFlags.InLocal | BackendFlags.OnNode | BackendFlags.Terminating),
                Backend("10.244.0.2", flags: BackendFlags.InCluster),
            ],
            Select(ExternalLocal, Terminating("10.244.0.1", ThisNode), Ready("10.244.0.2", OtherNode)).Backends);
    }

    [Fact]
    public void S121_Endpoints_that_terminate_and_serve_no_more_leave_nothing()
    {
        var selection = Select(Cluster, Terminating("10.244.0.1") with { Serving = false });
        Assert.True(selection.Backends.IsEmpty);
        Assert.False(selection.HasEndpoints);
    }

    [Fact]
    public void S122_Endpoints_published_before_they_are_ready_are_used_like_ready_ones()
    {
        var published = Unready("10.244.0.1") with { Ready = true };
        var publishedTerminating = published with { Address = Address.Parse("10.244.0.2"), Terminating = true };
        Assert.Equal([Backend("10.244.0.1"), Backend("10.244.0.2")], Select(Cluster, published, publishedTerminating).Backends);
        Assert.False(Select(Cluster, Unready("10.244.0.1")).HasEndpoints);
    }

    [Fact]
    public void Policy_Local_uses_only_ready_endpoints_of_this_node()
    {
        var selection = Select(
            Local,
            Ready("10.244.0.1", ThisNode), Terminating("10.244.0.2", ThisNode), Ready("10.244.0.3", OtherNode), Ready("10.244.0.4"));
        Assert.Equal([Backend("10.244.0.1", flags: BackendFlags.InLocal | BackendFlags.OnNode)], selection.Backends);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public void Policy_Local_without_a_local_endpoint_knows_whether_there_is_one_elsewhere(bool serving, bool expected)
    {
        var selection = Select(Local, Terminating("10.244.0.3", OtherNode) with { Serving = serving });
        Assert.True(selection.Backends.IsEmpty);
        Assert.Equal(expected, selection.HasEndpoints);
    }

    [Fact]
    public void Reachable_from_outside_under_policy_Local_has_both_lists()
    {
        var scope = new TrafficScope(TrafficPolicy.Local, TrafficPolicy.Local, ExternallyReachable: true);
        Assert.Equal(
            [
                Backend("10.244.0.1", flags: BackendFlags.InCluster | BackendFlags.InLocal | BackendFlags.OnNode),
                Backend("10.244.0.2", flags: BackendFlags.InCluster),
            ],
            Select(scope, Ready("10.244.0.2", OtherNode), Ready("10.244.0.1", ThisNode)).Backends);
    }

    [Fact]
    public void External_policy_Local_means_nothing_to_a_service_port_that_cannot_be_reached_from_outside()
    {
        var scope = new TrafficScope(TrafficPolicy.Cluster, TrafficPolicy.Local, ExternallyReachable: false);
        Assert.Equal(
            [Backend("10.244.0.1", flags: BackendFlags.InCluster | BackendFlags.OnNode)],
            Select(scope, Ready("10.244.0.1", ThisNode)).Backends);
    }

    [Fact]
    public void S3_A_named_port_is_reached_on_the_number_each_slice_gives_it()
    {
        var first = Slice("default/web-1", "default/web", Ready("10.244.0.1"));
        var second = Slice("default/web-2", "default/web", Ready("10.244.0.2")) with { Ports = [new("http", Protocol.Tcp, 8000)] };
        Assert.Equal([Backend("10.244.0.1", 8080), Backend("10.244.0.2", 8000)], Select(Cluster, first, second).Backends);
    }

    [Theory]
    [InlineData("http", Protocol.Udp)]
    [InlineData("HTTP", Protocol.Tcp)]
    [InlineData("", Protocol.Tcp)]
    public void A_port_of_another_name_or_protocol_is_another_port(string name, Protocol protocol)
    {
        var slice = Slice("default/web-1", "default/web", Ready("10.244.0.1"));
        var selection = _selector.Select([slice], name, protocol, AddressFamily.IPv4, Cluster, Zone);
        Assert.True(selection.Backends.IsEmpty);
        Assert.False(selection.HasEndpoints);
    }

    [Fact]
    public void A_port_without_a_name_matches_a_port_without_a_name()
    {
        var slice = Slice("default/web-1", "default/web", Ready("10.244.0.1")) with { Ports = [new("", Protocol.Udp, 53), HttpTarget] };
        var selection = _selector.Select([slice], "", Protocol.Udp, AddressFamily.IPv4, Cluster, Zone);
        Assert.Equal([Backend("10.244.0.1", 53)], selection.Backends);
    }

    [Fact]
    public void Families_do_not_mix()
    {
        var four = Slice("default/web-1", "default/web", Ready("10.244.0.1"));
        var six = Slice("default/web-2", "default/web", Ready("fd00::1"));
        var odd = four with { Name = Name("default/web-3"), Endpoints = [Ready("fd00::9")] };
        Assert.Equal([Backend("10.244.0.1")], Select(Cluster, four, six, odd).Backends);
        Assert.Equal(
            [Backend("fd00::1")], _selector.Select([four, six, odd], "http", Protocol.Tcp, AddressFamily.IPv6, Cluster, Zone).Backends);
    }

    [Fact]
    public void Backends_stand_in_order_of_address_then_port()
    {
        var both = Slice("default/web-1", "default/web", Ready("10.244.0.10"), Ready("10.244.0.9"));
        var other = both with { Name = Name("default/web-2"), Ports = [new("http", Protocol.Tcp, 80)] };
        Assert.Equal(
            [Backend("10.244.0.9", 80), Backend("10.244.0.9"), Backend("10.244.0.10", 80), Backend("10.244.0.10")],
            Select(Cluster, both, other).Backends);
    }

    [Fact]
    public void S125_An_endpoint_in_two_slices_is_one_backend()
    {
        var first = Slice("default/web-1", "default/web", Ready("10.244.0.1"), Ready("10.244.0.2"));
        var second = Slice("default/web-2", "default/web", Ready("10.244.0.2"), Ready("10.244.0.3"));
        Assert.Equal([Backend("10.244.0.1"), Backend("10.244.0.2"), Backend("10.244.0.3")], Select(Cluster, first, second).Backends);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Of_two_copies_the_one_that_does_not_terminate_counts(bool swapped)
    {
        string[] names = swapped ? ["default/b", "default/a"] : ["default/a", "default/b"];
        var old = Slice(names[0], "default/web", Terminating("10.244.0.1"), Ready("10.244.0.2"));
        var current = Slice(names[1], "default/web", Ready("10.244.0.1"));
        Assert.Equal([Backend("10.244.0.1"), Backend("10.244.0.2")], Select(Cluster, old, current).Backends);
        Assert.Equal([Backend("10.244.0.1"), Backend("10.244.0.2")], Select(Cluster, current, old).Backends);
    }

    [Fact]
    public void A_copy_that_is_neither_ready_nor_terminating_still_wins_over_one_that_terminates()
    {
        var old = Slice("default/a", "default/web", Terminating("10.244.0.1"));
        var current = Slice("default/b", "default/web", Unready("10.244.0.1"));
        Assert.False(Select(Cluster, old, current).HasEndpoints);
    }

    [Fact]
    public void A_ready_copy_wins_over_an_unready_one_and_a_local_one_over_one_of_no_node()
    {
        Assert.Equal(
            [Backend("10.244.0.1", flags: BackendFlags.InCluster | BackendFlags.OnNode)],
            Select(Cluster, Unready("10.244.0.1", ThisNode), Ready("10.244.0.1"), Ready("10.244.0.1", ThisNode)).Backends);
    }

    [Theory]
    [InlineData("a:zone-a b:zone-b", "10.244.0.1")]
    [InlineData("a:zone-b b:zone-b", "10.244.0.1 10.244.0.2")] // none for this zone: the hints are not followed
    [InlineData("a:zone-a b:", "10.244.0.1 10.244.0.2")] // one without a hint: half written
    [InlineData("a: b:", "10.244.0.1 10.244.0.2")]
    [InlineData("a:zone-a,zone-b b:zone-b,zone-a", "10.244.0.1 10.244.0.2")]
    [InlineData("a:zone-b b:zone-c,zone-a", "10.244.0.2")]
    public void Zone_hints_are_followed_when_every_ready_endpoint_has_one_and_one_names_this_zone(string hints, string expected)
    {
        string[] zones = [.. hints.Split(' ').Select(static hint => hint[2..])];
        string[][] parsed = [.. zones.Select(static text => text.Split(',', StringSplitOptions.RemoveEmptyEntries))];
        var selection = Select(Cluster, Ready("10.244.0.1").ForZones(parsed[0]), Ready("10.244.0.2").ForZones(parsed[1]));
        Assert.Equal(expected, string.Join(' ', selection.Backends.Select(static backend => backend.Address)));
    }

    [Fact]
    public void Zone_hints_match_nothing_when_the_zone_of_this_node_is_not_known()
    {
        Endpoint[] endpoints = [Ready("10.244.0.1").ForZones(Zone), Ready("10.244.0.2").ForZones("")];
        foreach (string? unknown in new[] { null, "" })
        {
            var selection = _selector.Select(
                [Slice("default/web-1", "default/web", endpoints)], "http", Protocol.Tcp, AddressFamily.IPv4, Cluster, unknown);
            Assert.Equal(2, selection.Backends.Count);
        }
    }

    [Fact]
    public void Node_hints_come_before_zone_hints()
    {
        var here = Ready("10.244.0.1").ForNodes(ThisNode).ForZones(Zone);
        var there = Ready("10.244.0.2").ForNodes(OtherNode).ForZones(Zone);
        Assert.Equal([Backend("10.244.0.1")], Select(Cluster, here, there).Backends);

        // Without a node hint on every one, the zone decides.
        var elsewhere = Ready("10.244.0.3").ForZones("zone-b");
        Assert.Equal([Backend("10.244.0.1"), Backend("10.244.0.2")], Select(Cluster, here, there, elsewhere).Backends);

        // No hint names this node: the zone decides as well.
        Assert.Equal(
            [Backend("10.244.0.2")], Select(Cluster, there, Ready("10.244.0.3").ForNodes(OtherNode).ForZones("zone-b")).Backends);
    }

    [Fact]
    public void Hints_of_endpoints_that_are_not_ready_count_neither_for_nor_against()
    {
        var selection = Select(
            Cluster,
            Ready("10.244.0.1").ForZones("zone-b"), Terminating("10.244.0.2").ForZones(Zone), Unready("10.244.0.3").ForZones(Zone));
        Assert.Equal([Backend("10.244.0.1")], selection.Backends);

        selection = Select(Cluster, Ready("10.244.0.1").ForZones(Zone), Ready("10.244.0.2").ForZones("zone-b"), Terminating("10.244.0.3"));
        Assert.Equal([Backend("10.244.0.1")], selection.Backends);
    }

    [Fact]
    public void Terminating_endpoints_are_used_whatever_their_hints()
    {
        var selection = Select(Cluster, Terminating("10.244.0.1").ForZones(Zone), Terminating("10.244.0.2").ForZones("zone-b"));
        Assert.Equal(2, selection.Backends.Count);
    }

    [Fact]
    public void Hints_do_not_apply_to_the_Local_list()
    {
        var selection = Select(
            ExternalLocal, Ready("10.244.0.1", ThisNode).ForZones("zone-b"), Ready("10.244.0.2", ThisNode).ForZones(Zone));
        Assert.Equal(
            [
                Backend("10.244.0.1", flags: BackendFlags.InLocal | BackendFlags.OnNode),
                Backend("10.244.0.2", flags: BackendFlags.InCluster | BackendFlags.InLocal | BackendFlags.OnNode),
            ],
            selection.Backends);
    }

    [Fact]
    public void An_earlier_selection_leaves_no_trace_in_the_next()
    {
        Select(Cluster, Ready("10.244.0.1"), Ready("10.244.0.2"));
        Assert.True(Select(Cluster, Slice("default/web-1", "default/web")).Backends.IsEmpty);
        Assert.Equal([Backend("10.244.0.3")], Select(Cluster, Ready("10.244.0.3")).Backends);
    }

    private EndpointSelection Select(TrafficScope scope, params Endpoint[] endpoints) =>
        Select(scope, Slice("default/web-1", "default/web", endpoints));

    // Those that new connections are given.
    private EndpointSelection Select(TrafficScope scope, params EndpointSlice[] slices)
    {
        var selection = SelectAll(scope, slices);
        return selection with { Backends = selection.Backends.Where(backend => (backend.Flags & Lists) != 0).ToEquatableArray() };
    }

    private EndpointSelection SelectAll(TrafficScope scope, params EndpointSlice[] slices) =>
        _selector.Select(slices, "http", Protocol.Tcp, AddressFamily.IPv4, scope, Zone);
}
