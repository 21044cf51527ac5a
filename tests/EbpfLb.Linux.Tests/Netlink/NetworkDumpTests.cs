// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using EbpfLb.Linux.Bpf;
using EbpfLb.Linux.Netlink;
using EbpfLb.Linux.Tests.Support;

namespace EbpfLb.Linux.Tests.Netlink;

public sealed class NetworkDumpTests
{
    private const ushort Ethernet = 1;
    private const ushort LoopbackHardware = 772;
    private const uint MainTable = 254;
    private const byte Unicast = 1;
    private const byte Blackhole = 6;
    private const ushort Permanent = 0x80;

    [PrivilegedFact]
    public void A_new_namespace_has_a_loopback_that_is_down_and_nothing_else()
    {
        using PrivateNetwork network = new();

        NetworkLink loopback = Assert.Single(network.Run(NetworkDump.Links), link => link.Kind.Length == 0);
        Assert.Equal(new(1, "lo", LoopbackHardware, false, 65536, HardwareAddress.None, "", 0, 0), loopback);
        Assert.Empty(network.Run(NetworkDump.Addresses));
        Assert.Empty(network.Run(NetworkDump.Routes));
        Assert.Empty(network.Run(NetworkDump.Neighbors));
    }

    [PrivilegedFact]
    public void Links_are_listed_with_their_properties()
    {
        using PrivateNetwork network = new();
        network.Ip("link add left index 101 address 02:00:00:00:01:0a mtu 1400 type veth peer name right index 102 address 02:ff:00:00:02:0b");
        network.Ip("link set left up");
        network.Ip("link add over index 103 address 02:00:00:00:00:03 link left type macvlan mode bridge");
        network.Ip("link add tunnel index 104 address 02:00:00:00:00:04 type vxlan id 7 dstport 4789 local 127.0.0.1");

        NetworkLink[] links = [.. network.Run(NetworkDump.Links).Where(link => link.Index > 100).OrderBy(link => link.Index)];
        Assert.Equal(
            [
                new(101, "left", Ethernet, true, 1400, new(0x02000000010a), "veth", 0, 102),
                new(102, "right", Ethernet, false, 1500, new(0x02ff0000020b), "veth", 0, 101),
                new(103, "over", Ethernet, false, 1400, new(0x020000000003), "macvlan", 0, 101),
                links[3] with { Index = 104, Name = "tunnel", Kind = "vxlan", MacAddress = new(0x020000000004), MasterIndex = 0 },
            ],
            links);
    }

    [PrivilegedFact]
    public void A_link_in_a_bridge_names_its_master()
    {
        using PrivateNetwork network = new();
        network.Ip("link add bridge type bridge");
        network.Ip("link add left type veth peer name right");
        network.Ip("link set left master bridge");

        Assert.Equal(network.IndexOf("bridge"), network.Link("left").MasterIndex);
        Assert.Equal("bridge", network.Link("bridge").Kind);
        Assert.Equal(0, network.Link("right").MasterIndex);
    }

    [PrivilegedFact]
    public void Addresses_of_both_families_are_listed_and_of_a_pair_this_end()
    {
        using PrivateNetwork network = new();
        network.Ip("link add left index 101 type veth peer name right");
        network.Ip("addr add 192.0.2.1/24 dev left");
        network.Ip("addr add 198.51.100.1 peer 198.51.100.2/32 dev left scope link");
        network.Ip("addr add 2001:db8::1/64 dev left nodad");

        const uint ForEver = 0x80;
        const uint NoDad = 0x02;
        Assert.Equal(
            [
                new(101, IPAddress.Parse("192.0.2.1"), 24, 0, ForEver),
                new(101, IPAddress.Parse("198.51.100.1"), 32, 253, ForEver),
                new(101, IPAddress.Parse("2001:db8::1"), 64, 0, ForEver | NoDad),
            ],
            network.Run(NetworkDump.Addresses).OrderBy(address => address.Address.ToString(), StringComparer.Ordinal));
    }

    [PrivilegedFact]
    public void Routes_of_both_families_and_all_tables_are_listed_one_for_each_next_hop()
    {
        using PrivateNetwork network = WithRoutes();
        network.Ip("route add default via 192.0.2.254 metric 7");
        network.Ip("route add 203.0.113.0/24 nexthop via 192.0.2.253 nexthop via 192.0.2.252 weight 3");
        network.Ip("route add 203.0.114.0/24 via inet6 2001:db8::9 dev left");
        network.Ip("route add 203.0.115.1 dev left table 1000");
        network.Ip("route add blackhole 203.0.116.0/24");
        network.Ip("-6 route add default via 2001:db8::fe metric 9");
        network.Ip("-6 route add 2001:db8:1::/48 nexthop via 2001:db8::fd nexthop via 2001:db8::fc");

        NetworkRoute[] routes = [.. network.Run(NetworkDump.Routes)];
        NetworkRoute v4 = new(false, null, 0, null, 101, MainTable, 0, Unicast);
        NetworkRoute v6 = v4 with { IsIPv6 = true, Priority = 1024 };
        foreach (NetworkRoute expected in (NetworkRoute[])
            [
                v4 with { Gateway = IPAddress.Parse("192.0.2.254"), Priority = 7 },
                v4 with { Destination = IPAddress.Parse("192.0.2.0"), PrefixLength = 24 },
                v4 with { Destination = IPAddress.Parse("203.0.113.0"), PrefixLength = 24, Gateway = IPAddress.Parse("192.0.2.253") },
                v4 with { Destination = IPAddress.Parse("203.0.113.0"), PrefixLength = 24, Gateway = IPAddress.Parse("192.0.2.252") },
                v4 with { Destination = IPAddress.Parse("203.0.114.0"), PrefixLength = 24, Gateway = IPAddress.Parse("2001:db8::9") },
                v4 with { Destination = IPAddress.Parse("203.0.115.1"), PrefixLength = 32, Table = 1000 },
                v4 with { Destination = IPAddress.Parse("203.0.116.0"), PrefixLength = 24, OutputIndex = 0, Type = Blackhole },
                v6 with { Gateway = IPAddress.Parse("2001:db8::fe"), Priority = 9 },
                v6 with { Destination = IPAddress.Parse("2001:db8:1::"), PrefixLength = 48, Gateway = IPAddress.Parse("2001:db8::fd") },
                v6 with { Destination = IPAddress.Parse("2001:db8:1::"), PrefixLength = 48, Gateway = IPAddress.Parse("2001:db8::fc") },
            ])
            Assert.Single(routes, expected);

        const uint LocalTable = 255;
        const byte Local = 2;
        Assert.Single(
            routes, v4 with { Destination = IPAddress.Parse("192.0.2.1"), PrefixLength = 32, Table = LocalTable, Type = Local });
    }

    [PrivilegedFact]
    public void Routes_by_next_hop_objects_name_their_gateways()
    {
        using PrivateNetwork network = WithRoutes();
        network.Ip("nexthop add id 1 via 192.0.2.10 dev left");
        network.Ip("nexthop add id 2 via 192.0.2.11 dev left");
        network.Ip("nexthop add id 3 group 1/2");
        network.Ip("route add 203.0.113.0/24 nhid 3");

        NetworkRoute hop = new(false, IPAddress.Parse("203.0.113.0"), 24, null, 101, MainTable, 0, Unicast);
        Assert.Equal(
            [hop with { Gateway = IPAddress.Parse("192.0.2.10") }, hop with { Gateway = IPAddress.Parse("192.0.2.11") }],
            network.Run(NetworkDump.Routes).Where(route => route.PrefixLength == 24 && route.Gateway is not null));
    }

    [PrivilegedFact]
    public void Lists_of_many_datagrams_are_read_to_the_end()
    {
        const int Count = 5000;
        using PrivateNetwork network = WithRoutes();
        network.IpBatch(Enumerable.Range(0, Count).Select(i => $"route add 10.{i / 256}.{i % 256}.0/24 via 192.0.2.9"));

        var gateways = network.Run(NetworkDump.Routes).Where(route => route.Gateway is not null).ToArray();
        Assert.Equal(Count, gateways.Length);
        Assert.Equal(Count, gateways.Distinct().Count());
    }

    [PrivilegedFact]
    public void A_list_that_changes_while_it_is_read_is_not_taken_for_whole()
    {
        // Of many datagrams, of which the kernel prepares the second when the first is read.
        const int Count = 4000;
        using PrivateNetwork network = WithRoutes();
        network.IpBatch(Enumerable.Range(0, Count).Select(i => $"addr add 10.0.{i / 250}.{(i % 250) + 1}/32 dev left"));
        using NetlinkSocket socket = network.Run(() => NetlinkSocket.Open(NetlinkSocket.NETLINK_ROUTE));
        byte[] request = new byte[NetlinkMessage.HeaderSize + RouteMessages.AddressHeaderSize];

        int seen = 0;
        Assert.True(socket.Dump("list", RouteMessages.RTM_GETADDR, request, (in _) => seen++));
        Assert.InRange(seen, Count, int.MaxValue);

        seen = 0;
        Assert.False(socket.Dump("list", RouteMessages.RTM_GETADDR, request, (in _) =>
        {
            if (seen++ == 0)
                network.Ip("addr del 10.0.0.1/32 dev left");
        }));

        Assert.DoesNotContain(network.Run(NetworkDump.Addresses), address => address.Address.Equals(IPAddress.Parse("10.0.0.1")));
    }

    [PrivilegedFact]
    public void A_request_the_kernel_refuses_is_an_error_in_its_words()
    {
        using PrivateNetwork network = new();
        using NetlinkSocket socket = network.Run(() => NetlinkSocket.Open(NetlinkSocket.NETLINK_ROUTE));
        byte[] request = new byte[NetlinkMessage.HeaderSize + RouteMessages.AddressHeaderSize];
        request[NetlinkMessage.HeaderSize + 1] = 24;

        LinuxException exception = Assert.Throws<LinuxException>(
            () => socket.Dump("list addresses", RouteMessages.RTM_GETADDR, request, (in _) => { }));
        Assert.Equal(Errno.EINVAL, exception.Errno);
        Assert.Matches("^list addresses: EINVAL .*: ipv4: Invalid values", exception.Message);

        // What such a request leaves behind does not disturb the next.
        request[NetlinkMessage.HeaderSize + 1] = 0;
        Assert.True(socket.Dump("list addresses", RouteMessages.RTM_GETADDR, request, (in _) => Assert.Fail("there are none")));
    }

    [PrivilegedFact]
    public void Neighbors_of_both_families_are_listed()
    {
        using PrivateNetwork network = WithRoutes();
        network.Ip("neigh add 192.0.2.7 lladdr 02:00:00:00:00:07 dev left nud permanent");
        network.Ip("neigh add 2001:db8::7 lladdr 02:00:00:00:00:08 dev left nud permanent");

        NetworkNeighbor[] permanent = [.. network.Run(NetworkDump.Neighbors).Where(neighbor => neighbor.State == Permanent)];
        Assert.Equal(2, permanent.Length);
        Assert.Contains(new NetworkNeighbor(101, IPAddress.Parse("192.0.2.7"), new(0x020000000007), Permanent), permanent);
        Assert.Contains(new NetworkNeighbor(101, IPAddress.Parse("2001:db8::7"), new(0x020000000008), Permanent), permanent);
    }

    [PrivilegedFact]
    public void A_link_names_its_XDP_program()
    {
        using PrivateNetwork network = WithRoutes();
        using BpfProgram program = Instructions.Xdp("pass", Instructions.Move(0, 2), Instructions.Exit);

        using (network.Run(() => BpfLink.AttachXdp(program, 101, XdpMode.Generic)))
            Assert.Equal((program.Info.Id, XdpMode.Generic), (network.Link("left").XdpProgramId, network.Link("left").XdpMode));
        using (network.Run(() => BpfLink.AttachXdp(program, 101, XdpMode.Native)))
            Assert.Equal((program.Info.Id, XdpMode.Native), (network.Link("left").XdpProgramId, network.Link("left").XdpMode));
        Assert.Equal((0u, XdpMode.None), (network.Link("left").XdpProgramId, network.Link("left").XdpMode));
    }

    [PrivilegedFact]
    public void A_veth_says_what_it_can_do_for_XDP()
    {
        using PrivateNetwork network = WithRoutes();

        (bool known, XdpFeatures features) = network.Run(() => (NetdevFeatures.TryGet(101, out XdpFeatures found), found));
        (_, XdpFeatures loopback) = network.Run(() => (NetdevFeatures.TryGet(1, out XdpFeatures found), found));

        Assert.True(known);
        Assert.Equal(
            XdpFeatures.Basic | XdpFeatures.Redirect | XdpFeatures.ReceiveScatterGather,
            features & ~(XdpFeatures.NdoXmit | XdpFeatures.NdoXmitScatterGather));
        Assert.Equal(XdpFeatures.None, loopback);
    }

    [PrivilegedFact]
    public void Features_of_a_device_that_is_not_there_are_ENODEV()
    {
        using PrivateNetwork network = new();

        LinuxException exception = Assert.Throws<LinuxException>(() => network.Run(() => NetdevFeatures.TryGet(4711, out _)));
        Assert.Equal(Errno.ENODEV, exception.Errno);
        Assert.StartsWith("read the features of device 4711", exception.Message, StringComparison.Ordinal);
    }

    private static PrivateNetwork WithRoutes()
    {
        PrivateNetwork network = new();
        network.Ip("link add left index 101 type veth peer name right");
        network.Ip("addr add 192.0.2.1/24 dev left");
        network.Ip("addr add 2001:db8::1/64 dev left nodad");
        network.Ip("link set left up");
        network.Ip("link set right up");
        return network;
    }
}
