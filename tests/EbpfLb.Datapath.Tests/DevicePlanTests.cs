// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Devices;
using static EbpfLb.Datapath.Tests.Pictures;
using LbAddress = EbpfLb.LoadBalancing.Model.Address;

namespace EbpfLb.Datapath.Tests;

public sealed class DevicePlanTests
{
    // A node: an uplink, a second one without a route, a bridge of pods, a tunnel, a VRF with a port, and what is never attached to.
    private static readonly object[] Node =
    [
        Loopback, Link(2, "eth0"), Link(3, "eth1"), Link(4, "br0", kind: "bridge"), Link(5, "veth1", kind: "veth", master: 4),
        Link(6, "vxlan0", kind: "vxlan"), Link(7, "vrf0", kind: "vrf"), Link(8, "eth2", master: 7), Link(9, "wg0", type: 65534),
        Link(10, "eth3", master: 4), Link(11, "down0", up: false), Link(12, "lxc1", kind: "veth"),
        Address(2, "10.0.0.1/24"), Address(3, "10.1.0.1/24"), Address(4, "10.244.1.1/24"), Address(8, "10.2.0.1/24"), Default(2),
    ];

    private static string Names(NetworkPicture picture, DevicePlan plan) =>
        string.Join(' ', plan.Devices.Select(device => $"{picture.Links[device.Key].Name}{(device.Value == DeviceRole.Pod ? ":pod" : "")}"));

    private static string Decide(NetworkPicture picture, DeviceOptions options, DevicePlan? before = null) =>
        Names(picture, DevicePlan.Decide(picture, options, before ?? DevicePlan.Empty));

    [Fact]
    public void A_device_with_a_default_route_is_found() => Assert.Equal("eth0", Decide(Of(Node), new DeviceOptions()));

    [Fact]
    public void So_is_one_of_ipv6_only_or_of_another_table() =>
        Assert.Equal("eth1 vxlan0", Decide(Of([.. Node[..^1], Default(3, ipv6: true), Default(6, table: 100)]), new DeviceOptions()));

    [Fact]
    public void A_port_of_a_vrf_is_found_and_one_of_a_bridge_is_not() =>
        Assert.Equal("eth0 eth2", Decide(Of([.. Node, Default(8, table: 7), Default(10)]), new DeviceOptions()));

    [Fact]
    public void An_unreachable_default_route_leads_nowhere() =>
        Assert.Equal("", Decide(Of([.. Node[..^1], Default(1, ipv6: true, type: 7), Default(2, type: 7)]), new DeviceOptions()));

    [Fact]
    public void A_device_with_the_nodes_address_is_found() => Assert.Equal(
        "eth0 eth1", Decide(Of(Node), new DeviceOptions { NodeAddresses = [LbAddress.Parse("10.1.0.1")] }));

    [Fact]
    public void A_device_that_is_down_or_no_ethernet_is_not_found() =>
        Assert.Equal("eth0", Decide(Of([.. Node, Default(11), Default(9), Default(1)]), new DeviceOptions()));

    [Theory]
    [InlineData("eth*", "eth0 eth1 eth2")]
    [InlineData("eth3", "eth3")]
    [InlineData("veth1", "veth1")]
    [InlineData("down0,eth0", "eth0 down0")]
    [InlineData("*", "eth0 eth1 br0 vxlan0 vrf0 eth2 down0 lxc1")]
    [InlineData("lo", "")]
    [InlineData("wg0", "")]
    [InlineData("nothing", "")]
    public void Patterns_choose_and_ports_take_their_full_name(string patterns, string expected) =>
        Assert.Equal(expected, Decide(Of(Node), new DeviceOptions { Devices = Patterns(patterns.Split(',')) }));

    [Fact]
    public void No_patterns_at_all_choose_nothing() => Assert.Equal("", Decide(Of(Node), new DeviceOptions { Devices = [] }));

    [Fact]
    public void Pods_devices_may_be_ports_and_an_uplink_is_none() => Assert.Equal(
        "eth0 veth1:pod lxc1:pod",
        Decide(Of(Node), new DeviceOptions { PodDevices = Patterns("veth*", "lxc*", "eth0", "lo") }));

    [Fact]
    public void A_device_that_was_found_stays_without_a_default_route_while_it_is_down_or_has_an_address()
    {
        var found = DevicePlan.Decide(Of(Node), new DeviceOptions(), DevicePlan.Empty);
        var withoutRoute = Of(Node[..^1]);
        Assert.Equal("eth0", Decide(withoutRoute, new DeviceOptions(), found));

        var down = Of(Loopback, Link(2, "eth0", up: false));
        Assert.Equal("eth0", Decide(down, new DeviceOptions(), found));

        var bare = Of(Loopback, Link(2, "eth0"), Address(2, "fe80::1/64", scope: 253));
        Assert.Equal("", Decide(bare, new DeviceOptions(), found));

        var port = Of(Loopback, Link(2, "eth0", master: 4), Link(4, "br0", kind: "bridge"), Address(2, "10.0.0.1/24"));
        Assert.Equal("", Decide(port, new DeviceOptions(), found));
        Assert.Equal("", Decide(Of(Loopback), new DeviceOptions(), found));
    }

    [Fact]
    public void A_device_that_was_a_pods_does_not_stay_as_an_uplink()
    {
        var before = new DevicePlan(new Dictionary<int, DeviceRole> { [3] = DeviceRole.Pod });
        Assert.Equal("eth0", Decide(Of(Node), new DeviceOptions(), before));
    }

    [Fact]
    public void A_device_without_ethernet_frames_is_told_of_when_its_name_is_given()
    {
        var options = new DeviceOptions { Devices = Patterns("wg0", "eth*"), PodDevices = Patterns("*") };
        Assert.Equal("wg0", Assert.Single(DevicePlan.Unusable(Of(Node), options)).Name);
        Assert.Empty(DevicePlan.Unusable(Of(Node), new DeviceOptions()));
    }

    [Fact]
    public void Two_node_addresses_of_a_family_are_one_too_many()
    {
        var options = new DeviceOptions { NodeAddresses = [LbAddress.Parse("10.0.0.1"), LbAddress.Parse("fd00::1"), LbAddress.Parse("10.0.0.2")] };
        Assert.Contains("10.0.0.1,10.0.0.2", Assert.Single(options.Validate()), StringComparison.Ordinal);
        Assert.Empty(new DeviceOptions { NodeAddresses = [LbAddress.Parse("10.0.0.1"), LbAddress.Parse("fd00::1")] }.Validate());
    }
}
