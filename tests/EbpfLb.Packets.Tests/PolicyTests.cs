// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.Packets.Tests.Ground;
using EbpfLb.Packets.Tests.Packets;
using EbpfLb.Packets.Tests.Reference;

namespace EbpfLb.Packets.Tests;

/// <summary>Who may reach what, through which kind of frontend.</summary>
public sealed class PolicyTests(PacketGround ground) : PacketTest(ground)
{
    private const ushort NodePort = 30080;
    private const ServiceFlags LocalOnly = ServiceFlags.HasEndpoints | ServiceFlags.ExternalLocal;

    [PrivilegedTheory]
    [EachHook(Where.Local)]
    [EachHook(Where.Remote)]
    public void S10_A_NodePort_is_reached_through_the_addresses_that_answer_it(Hook hook, AddressFamily family, Where where)
    {
        var plan = AddressPlan.Of(family);
        World.Put(new ServiceSpec("web", Protocol.Tcp, [new FrontendOf(plan.Wildcard, NodePort, FrontendFlags.NodePort)],
            Backends(family, where)));
        foreach (var node in new[] { plan.Node, plan.SecondNode })
        {
            var sent = Judge(hook, Arriving(Packet.Tcp(plan.Client(10), ClientPort, node, NodePort, TcpFlags.Syn)));
            var seen = ParsedPacket.OfFrame(JudgeAnswer(hook, sent, Segment(TcpFlags.Syn | TcpFlags.Ack)).Bytes)!;
            Assert.Equal((node, NodePort), (seen.Source, seen.SourcePort));
            World.ChangeConntrack((_, _) => null);
            Reference.ForgetAll();
        }
    }

    [PrivilegedTheory]
    [EachHook]
    public void S11_An_address_that_answers_no_NodePorts_leaves_it_to_the_stack(Hook hook, AddressFamily family)
    {
        var plan = AddressPlan.Of(family);
        World.Put(new ServiceSpec("web", Protocol.Tcp, [new FrontendOf(plan.Wildcard, NodePort, FrontendFlags.NodePort)],
            Backends(family, Where.Remote)));
        ExpectUnchanged(hook, Arriving(Packet.Tcp(plan.Client(10), ClientPort, plan.QuietNode, NodePort, TcpFlags.Syn)));
        ExpectUnchanged(hook, Arriving(Packet.Tcp(plan.Client(10), ClientPort, plan.Node, NodePort + 1, TcpFlags.Syn)));
        ExpectUnchanged(hook, Arriving(Packet.Udp(plan.Client(10), ClientPort, plan.Node, NodePort)));
    }

    [PrivilegedTheory]
    [EachHook(Where.Local)]
    [EachHook(Where.Remote)]
    public void S34_The_frontend_of_an_address_wins_over_that_of_all_addresses(Hook hook, AddressFamily family, Where where)
    {
        var plan = AddressPlan.Of(family);
        World.Put(new ServiceSpec(
            "nodeport", Protocol.Tcp, [new FrontendOf(plan.Wildcard, NodePort, FrontendFlags.NodePort)],
            [new BackendSpec(plan.RemotePod(99), 1, false)]));
        World.Put(new ServiceSpec("explicit", Protocol.Tcp, [new FrontendOf(plan.Node, NodePort, FrontendFlags.LoadBalancer)],
            Backends(family, where)));
        var result = Run(hook, Arriving(Packet.Tcp(plan.Client(10), ClientPort, plan.Node, NodePort, TcpFlags.Syn)));
        Assert.Equal(PodAt(family, where, 11), ParsedPacket.OfFrame(result.Bytes)!.Destination);
    }

    [PrivilegedTheory]
    [EachHook(Protocol.Tcp)]
    [EachHook(Protocol.Udp)]
    public void A_ClusterIP_is_dropped_from_outside_unless_it_is_served_there(Hook hook, AddressFamily family, Protocol protocol)
    {
        var plan = AddressPlan.Of(family);
        World.Put(new ServiceSpec(
            "web", protocol, [new FrontendOf(plan.ClusterIP(5), ServicePort, FrontendFlags.ClusterIP)],
            Backends(family, Where.Remote, Where.Local)));
        var packet = FromClient(family, Content(protocol)) with { Destination = plan.ClusterIP(5) };
        ExpectDrop(hook, packet, Reason.ClusterIP);
        World.Settings = World.Settings with { Flags = SettingFlags.ExternalClusterIPs };
        Judge(hook, packet);
    }

    [PrivilegedTheory]
    [EachHook(Protocol.Tcp)]
    [EachHook(Protocol.Udp)]
    public void S6_An_address_of_the_service_range_that_nobody_has_is_dropped(Hook hook, AddressFamily family, Protocol protocol)
    {
        Serve(family, protocol, Where.Remote);
        var packet = FromClient(family, Content(protocol)) with { Destination = AddressPlan.Of(family).Unallocated };
        ExpectDrop(hook, packet, Reason.Unallocated);
    }

    [PrivilegedTheory]
    [InlineData(AddressFamily.IPv4)]
    [InlineData(AddressFamily.IPv6)]
    public void S6_Nothing_of_the_service_range_leaves_the_node(AddressFamily family)
    {
        Serve(family, Protocol.Udp, Where.Remote);
        var plan = AddressPlan.Of(family);
        var packet = Packet.Udp(plan.Node, ClientPort, plan.Unallocated, ServicePort).Via(Ground.Router, Ground.Up0.Mac);
        ExpectDrop(Hook.TcEgress, packet, Reason.Unallocated);
        ExpectUnchanged(Hook.TcEgress, packet with { Destination = plan.Client(1) });
    }

    [PrivilegedTheory]
    [InlineData(AddressFamily.IPv4, Protocol.Tcp)]
    [InlineData(AddressFamily.IPv4, Protocol.Udp)]
    [InlineData(AddressFamily.IPv6, Protocol.Tcp)]
    [InlineData(AddressFamily.IPv6, Protocol.Udp)]
    public void S6_A_ClusterIP_does_not_leave_the_node_either(AddressFamily family, Protocol protocol)
    {
        var plan = AddressPlan.Of(family);
        World.Put(new ServiceSpec(
            "web", protocol, [new FrontendOf(plan.ClusterIP(5), ServicePort, FrontendFlags.ClusterIP)], Backends(family, Where.Remote)));
        var packet = new Packet(plan.Node, plan.ClusterIP(5), Content(protocol)).Via(Ground.Router, Ground.Up0.Mac);
        ExpectDrop(Hook.TcEgress, packet, Reason.ClusterIP);
    }

    [PrivilegedTheory]
    [InlineData(AddressFamily.IPv4, Protocol.Tcp)]
    [InlineData(AddressFamily.IPv4, Protocol.Udp)]
    [InlineData(AddressFamily.IPv6, Protocol.Tcp)]
    [InlineData(AddressFamily.IPv6, Protocol.Udp)]
    public void S5_A_port_that_no_cluster_ip_has_is_refused_on_the_way_out_and_one_of_an_external_address_is_a_hosts(
        AddressFamily family, Protocol protocol)
    {
        var plan = AddressPlan.Of(family);
        // A prog-run takes from the frame whom the packet is for, as on the way in; what leaves a node is nobody else's to the kernel.
        var packet = new Packet(plan.Node, plan.Vip(1), Content(protocol)).Via(Ground.Up0.Mac, Ground.Up0.Mac);
        World.Put(new ServiceSpec("web", protocol, [new FrontendOf(plan.Vip(1), 1, FrontendFlags.ClusterIP)], []));
        ExpectAnswer(Hook.TcEgress, packet, Reason.RefusedNoPort, Answers.CheckRefusal);
        foreach (var kind in new[] { FrontendFlags.LoadBalancer, FrontendFlags.ExternalIP })
        {
            World.Put(new ServiceSpec("web", protocol, [new FrontendOf(plan.Vip(2), 1, kind)], []));
            ExpectUnchanged(Hook.TcEgress, packet with { Destination = plan.Vip(2) });
        }
    }

    [PrivilegedTheory]
    [EachHook(Protocol.Tcp, "192.0.2.0/28")]
    [EachHook(Protocol.Udp, "192.0.2.10/32")]
    public void S21_Source_ranges_hold_for_load_balancer_addresses_alone(Hook hook, AddressFamily family, Protocol protocol, string range)
    {
        var plan = AddressPlan.Of(family);
        int bits = int.Parse(range.Split('/')[1], System.Globalization.CultureInfo.InvariantCulture);
        var spec = new ServiceSpec(
            "web", protocol,
            [
                Frontend(family), new FrontendOf(plan.Vip(2), ServicePort, FrontendFlags.ExternalIP),
                new FrontendOf(plan.Wildcard, NodePort, FrontendFlags.NodePort),
            ],
            Backends(family, Where.Remote));
        World.Put(spec with { SourceRanges = [(plan.Client(bits == 28 ? 0 : 10), plan.IsIPv6 ? bits + 96 : bits)] });
        var admitted = FromClient(family, Content(protocol));
        Judge(hook, admitted);
        ExpectDrop(hook, admitted with { Source = plan.Client(99) }, Reason.SourceRange);
        Judge(hook, admitted with { Source = plan.Client(99), Destination = plan.Vip(2) });
        Layer4 toNodePort = protocol == Protocol.Tcp
            ? new TcpSegment(ClientPort, NodePort, TcpFlags.Syn)
            : new UdpDatagram(ClientPort, NodePort);
        Judge(hook, admitted with { Source = plan.Client(99), Destination = plan.Node, Content = toNodePort });
    }

    [PrivilegedTheory]
    [EachHook(Protocol.Tcp)]
    [EachHook(Protocol.Udp)]
    public void S21_Whom_the_ranges_do_not_admit_is_not_told_that_there_is_no_endpoint(Hook hook, AddressFamily family, Protocol protocol)
    {
        var plan = AddressPlan.Of(family);
        World.Put(new ServiceSpec("web", protocol, [Frontend(family)], [])
        {
            Flags = default,
            SourceRanges = [(plan.Client(10), plan.IsIPv6 ? 128 : 32)],
        });
        var admitted = FromClient(family, Content(protocol));
        ExpectAnswer(hook, admitted, Reason.RefusedNoEndpoint, Answers.CheckRefusal);
        ExpectDrop(hook, admitted with { Source = plan.Client(99) }, Reason.SourceRange);
    }

    [PrivilegedTheory]
    [EachHook(Protocol.Tcp)]
    [EachHook(Protocol.Udp)]
    public void S13_Under_policy_Local_only_backends_of_this_node_are_chosen(Hook hook, AddressFamily family, Protocol protocol)
    {
        var backends = Backends(family, Where.Remote, Where.Local, Where.Far)
            .Select(backend => backend.OnNode ? backend : backend with { Lists = BackendFlags.InCluster });
        World.Put(new ServiceSpec("web", protocol, [Frontend(family)], [.. backends]) { Flags = LocalOnly });
        for (ushort port = 41000; port < 41030; port++)
            Judge(hook, FromClient(family, Content(protocol, port)));
    }

    [PrivilegedTheory]
    [EachHook(Protocol.Tcp)]
    [EachHook(Protocol.Udp)]
    [EachHook(Protocol.Sctp)]
    public void S14_Under_policy_Local_without_a_local_backend_each_packet_is_dropped_and_counted(
        Hook hook, AddressFamily family, Protocol protocol)
    {
        var backends = Backends(family, Where.Remote).Select(backend => backend with { Lists = BackendFlags.InCluster });
        World.Put(new ServiceSpec("web", protocol, [Frontend(family)], [.. backends]) { Flags = LocalOnly });
        for (int i = 0; i < 3; i++)
            ExpectDrop(hook, FromClient(family, Content(protocol)), Reason.NoLocalEndpoint);
    }

    [PrivilegedTheory]
    [EachHook(Protocol.Tcp, "lb")]
    [EachHook(Protocol.Udp, "lb")]
    [EachHook(Protocol.Sctp, "lb")]
    [EachHook(Protocol.Tcp, "external")]
    [EachHook(Protocol.Udp, "external")]
    [EachHook(Protocol.Tcp, "node")]
    [EachHook(Protocol.Udp, "node")]
    public void S17_S18_A_service_without_endpoints_refuses(Hook hook, AddressFamily family, Protocol protocol, string kind)
    {
        var plan = AddressPlan.Of(family);
        var (address, port, flags) = kind switch
        {
            "lb" => (plan.Vip(1), ServicePort, FrontendFlags.LoadBalancer),
            "external" => (plan.Vip(2), ServicePort, FrontendFlags.ExternalIP),
            _ => (plan.Node, NodePort, FrontendFlags.NodePort),
        };
        World.Put(new ServiceSpec(
            "web", protocol, [new FrontendOf(kind == "node" ? plan.Wildcard : address, port, flags)], [])
        { Flags = ServiceFlags.ExternalLocal });
        Layer4 content = protocol switch
        {
            Protocol.Tcp => new TcpSegment(ClientPort, port, TcpFlags.Syn) { Payload = Bytes(13) },
            Protocol.Udp => new UdpDatagram(ClientPort, port) { Payload = Bytes(13) },
            _ => new SctpPacket(ClientPort, port),
        };
        ExpectAnswer(hook, FromClient(family, content) with { Destination = address }, Reason.RefusedNoEndpoint, Answers.CheckRefusal);
        Assert.Empty(World.Conntrack);
    }

    [PrivilegedTheory]
    [EachHook(Protocol.Tcp)]
    [EachHook(Protocol.Udp)]
    [EachHook(Protocol.Sctp)]
    public void S4_S5_A_port_that_no_service_has_is_refused(Hook hook, AddressFamily family, Protocol protocol)
    {
        Serve(family, protocol == Protocol.Tcp ? Protocol.Udp : Protocol.Tcp, Where.Local, Where.Remote);
        ExpectAnswer(hook, FromClient(family, Content(protocol)), Reason.RefusedNoPort, Answers.CheckRefusal);
        Assert.Empty(World.Conntrack);
    }

    [PrivilegedTheory]
    [EachHook((byte)TcpFlags.Ack, 0)]
    [EachHook((byte)(TcpFlags.Psh | TcpFlags.Ack), 77)]
    public void S17_A_segment_in_the_middle_of_nothing_is_reset(Hook hook, AddressFamily family, byte flags, int payload)
    {
        Serve(family, Protocol.Udp, Where.Remote);
        ExpectAnswer(hook, FromClient(family, Segment((TcpFlags)flags, payload)), Reason.RefusedNoPort, Answers.CheckReset);
    }

    [PrivilegedTheory]
    [EachHook]
    public void S17_A_reset_is_not_answered_with_a_reset(Hook hook, AddressFamily family)
    {
        Serve(family, Protocol.Udp, Where.Remote);
        byte[] frame = FromClient(family, Segment(TcpFlags.Rst)).ToBytes();
        var result = Run(hook, frame);
        Assert.False(result.IsSent);
    }

    [PrivilegedTheory]
    [EachHook(Protocol.Tcp)]
    [EachHook(Protocol.Udp)]
    public void A_backend_that_no_route_leads_to_gets_nothing(Hook hook, AddressFamily family, Protocol protocol)
    {
        var plan = AddressPlan.Of(family);
        World.Put(new ServiceSpec("web", protocol, [Frontend(family)], [new BackendSpec(plan.Unreachable, BackendPort, false)]));
        byte[] frame = FromClient(family, Content(protocol)).ToBytes();
        var result = Run(hook, frame);
        Assert.False(result.IsSent);
        if (hook == Hook.TcIngress)
            Assert.Equal(Fate.Drop, result.Fate);
        Assert.Empty(World.Conntrack);
    }

    [PrivilegedTheory]
    [InlineData(AddressFamily.IPv4, Protocol.Tcp)]
    [InlineData(AddressFamily.IPv4, Protocol.Udp)]
    [InlineData(AddressFamily.IPv6, Protocol.Tcp)]
    [InlineData(AddressFamily.IPv6, Protocol.Udp)]
    public void A_neighbour_that_is_not_known_yet_is_asked_for_by_tc(AddressFamily family, Protocol protocol)
    {
        var plan = AddressPlan.Of(family);
        World.Put(new ServiceSpec("web", protocol, [Frontend(family)], [new BackendSpec(plan.Silent, BackendPort, false)]));
        var packet = FromClient(family, Content(protocol));
        ExpectUnchanged(Hook.Xdp, packet, Reason.HandedDown);
        var result = Run(Hook.TcIngress, packet);
        Assert.Equal(Fate.Redirect, result.Fate);
        var sent = ParsedPacket.OfFrame(result.Bytes)!;
        Assert.Equal((plan.Silent, plan.Node), (sent.Destination, sent.Source));
        Assert.Empty(sent.WrongSums());
    }

    [PrivilegedTheory]
    [InlineData(AddressFamily.IPv4)]
    [InlineData(AddressFamily.IPv6)]
    public void A_device_that_XDP_may_not_send_through_is_left_to_tc(AddressFamily family)
    {
        Serve(family, Protocol.Udp, Where.Far);
        World.PutDevice(Ground.Up1, DeviceFlags.Attached);
        ExpectUnchanged(Hook.Xdp, FromClient(family, Content(Protocol.Udp)), Reason.HandedDown);
        Judge(Hook.TcIngress, FromClient(family, Content(Protocol.Udp)));
    }

    [PrivilegedTheory]
    [InlineData(AddressFamily.IPv4)]
    [InlineData(AddressFamily.IPv6)]
    public void A_device_that_takes_nothing_back_from_XDP_is_left_to_tc(AddressFamily family)
    {
        Serve(family, Protocol.Udp, Where.Remote);
        World.PutDevice(Ground.Up0, DeviceFlags.Attached | DeviceFlags.XdpSends);
        ExpectUnchanged(Hook.Xdp, FromClient(family, Content(Protocol.Udp)), Reason.HandedDown);
        Judge(Hook.TcIngress, FromClient(family, Content(Protocol.Udp)));
    }

    [PrivilegedTheory]
    [EachHook]
    public void Affinity_brings_every_flow_of_a_client_to_one_backend(Hook hook, AddressFamily family)
    {
        var backends = Backends(family, [.. Enumerable.Repeat(Where.Remote, 10)]);
        World.Put(new ServiceSpec("web", Protocol.Tcp, [Frontend(family)], backends) { AffinitySeconds = 100 });
        var chosen = new HashSet<Address>();
        for (ushort port = 41000; port < 41030; port++)
            chosen.Add(ParsedPacket.OfFrame(Judge(hook, FromClient(family, Content(Protocol.Tcp, port))).Bytes)!.Destination);
        Assert.Single(chosen);

        var others = new HashSet<Address>();
        for (int client = 20; client < 60; client++)
        {
            var packet = FromClient(family, Content(Protocol.Tcp)) with { Source = AddressPlan.Of(family).Client(client) };
            others.Add(ParsedPacket.OfFrame(Judge(hook, packet).Bytes)!.Destination);
        }

        Assert.True(others.Count > 3, $"{others.Count}");
    }

    [PrivilegedTheory]
    [EachHook]
    public void Affinity_holds_over_every_address_of_a_service_port(Hook hook, AddressFamily family)
    {
        var plan = AddressPlan.Of(family);
        World.Put(new ServiceSpec(
            "web", Protocol.Tcp,
            [
                Frontend(family), new FrontendOf(plan.Vip(2), ServicePort, FrontendFlags.ExternalIP),
                new FrontendOf(plan.Wildcard, NodePort, FrontendFlags.NodePort),
            ],
            Backends(family, [.. Enumerable.Repeat(Where.Remote, 10)]))
        { AffinitySeconds = 100 });
        var chosen = new HashSet<Address>();
        for (ushort port = 41000; port < 41010; port++)
        {
            foreach (var (address, number) in new[] { (plan.Vip(1), ServicePort), (plan.Vip(2), ServicePort), (plan.Node, NodePort) })
            {
                var opening = FromClient(family, new TcpSegment(port, number, TcpFlags.Syn)) with { Destination = address };
                chosen.Add(ParsedPacket.OfFrame(Judge(hook, opening).Bytes)!.Destination);
            }
        }

        Assert.Single(chosen);
    }

    [PrivilegedTheory]
    [EachHook]
    public void Affinity_follows_no_backend_that_is_given_to_nobody_new(Hook hook, AddressFamily family)
    {
        var backends = Backends(family, [.. Enumerable.Repeat(Where.Remote, 10)]);
        var spec = World.Put(new ServiceSpec("web", Protocol.Tcp, [Frontend(family)], backends) { AffinitySeconds = 100 });
        var first = ParsedPacket.OfFrame(Judge(hook, FromClient(family, Content(Protocol.Tcp, 41000))).Bytes)!.Destination;
        World.Put(spec with
        {
            Backends = [.. spec.Backends.Select(backend => backend.Address == first ? backend with { Lists = BackendFlags.None } : backend)],
        });
        var chosen = new HashSet<Address>();
        for (ushort port = 41001; port < 41020; port++)
            chosen.Add(ParsedPacket.OfFrame(Judge(hook, FromClient(family, Content(Protocol.Tcp, port))).Bytes)!.Destination);
        Assert.Single(chosen);
        Assert.DoesNotContain(first, chosen);
    }

    [PrivilegedTheory]
    [EachHook]
    public void Affinity_wins_over_what_a_port_was_given_before(Hook hook, AddressFamily family)
    {
        var spec = new ServiceSpec("web", Protocol.Tcp, [Frontend(family)], Backends(family, [.. Enumerable.Repeat(Where.Remote, 10)]));
        World.Put(spec);
        for (ushort port = 41000; port < 41030; port++)
            Judge(hook, FromClient(family, Content(Protocol.Tcp, port)));
        World.ChangeConntrack((_, _) => null);
        Reference.ForgetAll();

        World.Put(spec with { AffinitySeconds = 100 });
        var chosen = new HashSet<Address>();
        for (ushort port = 41030; port >= 41000; port--)
            chosen.Add(ParsedPacket.OfFrame(Judge(hook, FromClient(family, Content(Protocol.Tcp, port))).Bytes)!.Destination);
        Assert.Single(chosen);
    }

    [PrivilegedTheory]
    [EachHook(Protocol.Tcp)]
    [EachHook(Protocol.Udp)]
    public void Flows_spread_over_the_backends(Hook hook, AddressFamily family, Protocol protocol)
    {
        World.Put(new ServiceSpec("web", protocol, [Frontend(family)], Backends(family, [.. Enumerable.Repeat(Where.Remote, 10)])));
        var counts = new Dictionary<Address, int>();
        for (ushort port = 41000; port < 42000; port++)
        {
            var destination = ParsedPacket.OfFrame(Judge(hook, FromClient(family, Content(protocol, port))).Bytes)!.Destination;
            counts[destination] = counts.GetValueOrDefault(destination) + 1;
        }

        // Ten standard deviations of a fair choice, so that a lame hash shows and luck does not.
        Assert.Equal(10, counts.Count);
        Assert.All(counts.Values, count => Assert.InRange(count, 10, 195));
    }
}
