// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Devices;
using EbpfLb.LoadBalancing.Model;
using static EbpfLb.Datapath.Tests.Pictures;
using LbAddress = EbpfLb.LoadBalancing.Model.Address;

namespace EbpfLb.Datapath.Tests;

public sealed class NodeAddressesTests
{
    private const uint Secondary = 0x01;
    private const uint DadFailed = 0x08;
    private const uint Deprecated = 0x20;
    private const uint Tentative = 0x40;
    private const uint Optimistic = 0x04;

    private static readonly object[] Node =
    [
        Loopback, Link(2, "eth0", mac: 0x0200000000aa), Link(3, "eth1", mtu: 9000), Link(4, "br0", kind: "bridge"), Link(5, "lxc1"),
        Address(1, "127.0.0.1/8", scope: 254), Address(1, "127.0.0.53/8", scope: 254), Address(1, "::1/128", scope: 254),
        Address(1, "192.0.2.77/32"),
        Address(2, "169.254.1.1/16", scope: 253), Address(2, "10.0.0.9/24", flags: Secondary), Address(2, "10.0.0.1/24"),
        Address(2, "fe80::1/64", scope: 253), Address(2, "fd00::3/64", flags: Deprecated), Address(2, "fd00::1/64"),
        Address(3, "10.1.0.1/24"), Address(4, "10.244.1.1/24"), Default(3, priority: 200), Default(2, priority: 100),
    ];

    private static string Text(Dictionary<LbAddress, NodeAddressFlags> addresses) => string.Join(
        '\n', addresses.OrderBy(entry => entry.Key).Select(entry => $"{entry.Key} {entry.Value}"));

    [Fact]
    public void Every_address_answers_node_ports_unless_it_belongs_to_a_link() => Assert.Equal(
        """
        ::1 NodePorts, Loopback
        10.0.0.1 NodePorts
        10.0.0.9 NodePorts
        10.1.0.1 NodePorts
        10.244.1.1 NodePorts
        127.0.0.1 NodePorts, Loopback
        127.0.0.53 NodePorts, Loopback
        169.254.1.1 NodePorts
        192.0.2.77 NodePorts
        fd00::1 NodePorts
        fd00::3 NodePorts
        fe80::1 None
        """,
        Text(NodeAddresses.Local(Of(Node), new DeviceOptions())));

    [Fact]
    public void Loopbacks_are_there_even_when_the_loopback_is_down() => Assert.Equal(
        "::1 NodePorts, Loopback\n127.0.0.1 NodePorts, Loopback", Text(NodeAddresses.Local(Of(), new DeviceOptions())));

    [Theory]
    [InlineData("10.0.0.0/24,fd00::/16", "10.0.0.1 10.0.0.9 fd00::1 fd00::3")]
    [InlineData("10.0.0.77/24", "10.0.0.1 10.0.0.9")]
    [InlineData("127.0.0.0/8", "127.0.0.1 127.0.0.53")]
    [InlineData("0.0.0.0/0", "10.0.0.1 10.0.0.9 10.1.0.1 10.244.1.1 127.0.0.1 127.0.0.53 169.254.1.1 192.0.2.77")]
    [InlineData("203.0.113.0/24", "")]
    public void Prefixes_choose_the_addresses_that_answer(string prefixes, string expected)
    {
        var options = new DeviceOptions { NodePorts = new NodePortAddresses(false, [.. prefixes.Split(',').Select(AddressPrefix.Parse)]) };
        Assert.Equal(expected, Answering(options));
    }

    [Theory]
    [InlineData("", "10.0.0.1 fd00::1")]
    [InlineData("10.1.0.1", "10.1.0.1 fd00::1")]
    public void Primary_is_the_nodes_own_address_of_each_family(string told, string expected) => Assert.Equal(
        expected,
        Answering(new DeviceOptions
        {
            NodePorts = new NodePortAddresses(true, []),
            NodeAddresses = told.Length == 0 ? [] : [LbAddress.Parse(told)],
        }));

    [Fact]
    public void An_address_that_others_may_have_is_none_of_the_nodes()
    {
        var picture = Of(
            Link(2, "eth0"), Address(2, "fd00::1/64", flags: Tentative), Address(2, "fd00::2/64", flags: DadFailed | Tentative),
            Address(2, "fd00::3/64", flags: Tentative | Optimistic));
        var loopback = LbAddress.Parse("::1");
        var local = NodeAddresses.Local(picture, new DeviceOptions()).Keys.Where(key => !key.IsIPv4 && key != loopback);
        Assert.Equal("fd00::3", string.Join(' ', local));
    }

    [Fact]
    public void The_nodes_address_comes_from_the_best_route_of_its_family()
    {
        Assert.Equal(LbAddress.Parse("10.0.0.1"), NodeAddresses.NodeIp(Of(Node), new DeviceOptions(), AddressFamily.IPv4));
        var picture = Of([.. Node, Address(3, "fd01::1/64"), Default(3, ipv6: true, priority: 1024)]);
        Assert.Equal(LbAddress.Parse("fd01::1"), NodeAddresses.NodeIp(picture, new DeviceOptions(), AddressFamily.IPv6));
        Assert.Null(NodeAddresses.NodeIp(Of(Loopback), new DeviceOptions(), AddressFamily.IPv4));
    }

    [Fact]
    public void A_default_route_of_another_table_comes_after_those_of_the_main_one()
    {
        var picture = Of(
            Link(2, "eth0"), Link(3, "eth1"), Address(2, "10.0.0.1/24"), Address(3, "10.1.0.1/24"),
            Default(3, table: 2), Default(2, priority: 512));
        Assert.Equal(LbAddress.Parse("10.0.0.1"), NodeAddresses.NodeIp(picture, new DeviceOptions(), AddressFamily.IPv4));
    }

    [Fact]
    public void A_device_masquerades_with_its_first_global_address_and_an_attached_one_without_with_the_nodes()
    {
        var devices = NodeAddresses.Devices(
            Of(Node), new DeviceOptions(), attached: new HashSet<int> { 2, 3 }, sends: new HashSet<int> { 2, 4 });
        Assert.Equal([1u, 2u, 3u, 4u, 5u], devices.Keys.Order());
        Assert.Equal(
            new DeviceValue
            {
                SourceV4 = LbAddress.Parse("10.0.0.1"),
                SourceV6 = LbAddress.Parse("fd00::1"),
                Mac = new MacAddress([2, 0, 0, 0, 0, 0xaa]),
                Mtu = 1500,
                Flags = DeviceFlags.Attached | DeviceFlags.XdpSends | DeviceFlags.XdpTurns,
            },
            devices[2]);
        Assert.Equal((LbAddress.Parse("10.1.0.1"), LbAddress.Parse("fd00::1")), (devices[3].SourceV4, devices[3].SourceV6));
        Assert.Equal((9000, DeviceFlags.Attached | DeviceFlags.XdpTurns), (devices[3].Mtu, devices[3].Flags));
        Assert.Equal((LbAddress.Parse("10.244.1.1"), default), (devices[4].SourceV4, devices[4].SourceV6));
        Assert.Equal(DeviceFlags.XdpSends | DeviceFlags.XdpTurns, devices[4].Flags);
        Assert.Equal((default, default), (devices[5].SourceV4, devices[5].SourceV6));
        Assert.Equal((LbAddress.Parse("192.0.2.77"), ushort.MaxValue), (devices[1].SourceV4, devices[1].Mtu));
    }

    [Theory]
    [InlineData("veth", false, false)]
    [InlineData("veth", true, true)]
    [InlineData("", false, true)]
    public void Xdp_sends_back_through_a_veth_only_when_its_other_end_takes_frames_of_xdp(string kind, bool sends, bool turns)
    {
        var devices = NodeAddresses.Devices(
            Of(Link(2, "eth0", kind: kind)), new DeviceOptions(), attached: new HashSet<int> { 2 }, sends: new HashSet<int>(sends ? [2] : []));
        Assert.Equal(turns, devices[2].Flags.HasFlag(DeviceFlags.XdpTurns));
    }

    [Fact]
    public void The_nodes_own_address_goes_before_another_of_its_device()
    {
        var options = new DeviceOptions { NodeAddresses = [LbAddress.Parse("10.0.0.9")] };
        var devices = NodeAddresses.Devices(Of(Node), options, new HashSet<int> { 5 }, new HashSet<int>());
        Assert.Equal(LbAddress.Parse("10.0.0.9"), devices[2].SourceV4);
        Assert.Equal(LbAddress.Parse("10.0.0.9"), devices[5].SourceV4);
        Assert.Equal(LbAddress.Parse("10.1.0.1"), devices[3].SourceV4);
    }

    private static string Answering(DeviceOptions options) => string.Join(' ', NodeAddresses.Local(Of(Node), options)
        .Where(entry => entry.Value.HasFlag(NodeAddressFlags.NodePorts)).Select(entry => entry.Key).Order());
}
