// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using System.Net.Sockets;
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.Packets.Tests.Ground;
using EbpfLb.Packets.Tests.Packets;
using AddressFamily = EbpfLb.LoadBalancing.Model.AddressFamily;

namespace EbpfLb.Packets.Tests;

/// <summary>Packets that cannot be what they claim, and packets that would run in circles.</summary>
public sealed class SourceTests(PacketGround ground) : PacketTest(ground)
{
    [PrivilegedTheory]
    [EachHook("0.0.0.0", Only = 4)]
    [EachHook("0.1.2.3", Only = 4)]
    [EachHook("127.0.0.1", Only = 4)]
    [EachHook("224.0.0.1", Only = 4)]
    [EachHook("239.255.255.255", Only = 4)]
    [EachHook("240.0.0.1", Only = 4)]
    [EachHook("255.255.255.255", Only = 4)]
    [EachHook("::", Only = 6)]
    [EachHook("::1", Only = 6)]
    [EachHook("ff02::1", Only = 6)]
    [EachHook("ff0e::1:2", Only = 6)]
    public void S58_A_source_that_cannot_be_one_is_dropped(Hook hook, AddressFamily family, string source)
    {
        Serve(family, Protocol.Udp, Where.Local, Where.Remote);
        ExpectDrop(hook, FromClient(family, Content(Protocol.Udp)) with { Source = Address.Parse(source) }, Reason.Martian);
        Assert.Empty(World.Conntrack);
    }

    // Whether or not the port has a frontend: an answer would go to that source.
    [PrivilegedTheory]
    [EachHook("127.0.0.1", Only = 4)]
    [EachHook("224.0.0.1", Only = 4)]
    [EachHook("0.0.0.0", Only = 4)]
    [EachHook("::1", Only = 6)]
    [EachHook("ff02::1", Only = 6)]
    public void S58_A_source_that_cannot_be_one_is_dropped_at_a_port_without_service_too(Hook hook, AddressFamily family, string source)
    {
        Serve(family, Protocol.Tcp, Where.Local, Where.Remote);
        ExpectDrop(hook, FromClient(family, Content(Protocol.Udp)) with { Source = Address.Parse(source) }, Reason.Martian);
    }

    [PrivilegedTheory]
    [EachHook(Protocol.Tcp)]
    [EachHook(Protocol.Udp)]
    public void S59_A_packet_from_the_service_to_itself_is_dropped(Hook hook, AddressFamily family, Protocol protocol)
    {
        Serve(family, protocol, Where.Local, Where.Remote);
        var vip = AddressPlan.Of(family).Vip(1);
        byte[] frame = (FromClient(family, Content(protocol, ServicePort)) with { Source = vip }).ToBytes();
        ulong before = World.Count(hook, Reason.Martian) + World.Count(hook, Reason.Loop);
        Assert.Equal(Fate.Drop, Run(hook, frame).Fate);
        Assert.Equal(before + 1, World.Count(hook, Reason.Martian) + World.Count(hook, Reason.Loop));
        Assert.Empty(World.Conntrack);
    }

    [PrivilegedTheory]
    [EachHook(Protocol.Tcp)]
    [EachHook(Protocol.Udp)]
    public void S60_A_forged_answer_of_a_local_backend_is_not_made_one_of_the_service(Hook hook, AddressFamily family, Protocol protocol)
    {
        Serve(family, protocol, Where.Local);
        var plan = AddressPlan.Of(family);
        Layer4 forged = protocol == Protocol.Tcp
            ? new TcpSegment(BackendPort, ClientPort, TcpFlags.Syn | TcpFlags.Ack)
            : new UdpDatagram(BackendPort, ClientPort);
        var packet = Arriving(new Packet(plan.LocalPod(11), plan.Client(10), forged));
        ExpectUnchanged(hook, packet);
        Judge(hook, FromClient(family, Content(protocol)));
        ExpectUnchanged(hook, packet);
    }

    [PrivilegedTheory]
    [EachHook(Protocol.Tcp)]
    [EachHook(Protocol.Udp)]
    public void S60_A_forged_answer_of_a_remote_backend_belongs_to_no_flow(Hook hook, AddressFamily family, Protocol protocol)
    {
        Serve(family, protocol, Where.Remote);
        var plan = AddressPlan.Of(family);
        var sent = ParsedPacket.OfFrame(Judge(hook, FromClient(family, Content(protocol))).Bytes)!;
        ushort notThePort = (ushort)(sent.SourcePort == 50000 ? 50001 : sent.SourcePort - 1);
        foreach (ushort port in new ushort[] { notThePort, ClientPort })
        {
            Layer4 forged = protocol == Protocol.Tcp
                ? new TcpSegment(BackendPort, port, TcpFlags.Syn | TcpFlags.Ack)
                : new UdpDatagram(BackendPort, port);
            var packet = Arriving(new Packet(plan.RemotePod(11), plan.Node, forged));
            ExpectUnchanged(hook, packet);
            ExpectUnchanged(hook, Arriving(new Packet(plan.RemotePod(11), plan.Client(10), forged)));
        }
    }

    [PrivilegedTheory]
    [EachHook(Protocol.Tcp)]
    [EachHook(Protocol.Udp)]
    public void A_port_of_the_range_that_a_process_of_the_node_has_is_left_to_it(Hook hook, AddressFamily family, Protocol protocol)
    {
        const ushort Port = 55555;
        Serve(family, protocol, Where.Remote);
        var plan = AddressPlan.Of(family);
        using var socket = Listen(plan.Node, Port, protocol);
        Layer4 content = protocol == Protocol.Tcp ? new TcpSegment(ClientPort, Port, TcpFlags.Syn) : new UdpDatagram(ClientPort, Port);
        ExpectUnchanged(hook, Arriving(new Packet(plan.Client(10), plan.Node, content)));
    }

    // In a prog-run every packet has a socket. A reset without one, by the stack about a forgotten flow, only a live test can show.
    [PrivilegedTheory]
    [InlineData(AddressFamily.IPv4, 55556)]
    [InlineData(AddressFamily.IPv4, 2222)]
    [InlineData(AddressFamily.IPv6, 55556)]
    [InlineData(AddressFamily.IPv6, 2222)]
    public void S94_A_reset_of_a_process_leaves_whatever_its_port(AddressFamily family, int port)
    {
        Serve(family, Protocol.Tcp, Where.Remote);
        var plan = AddressPlan.Of(family);
        var reset = Packet.Tcp(plan.Node, (ushort)port, plan.RemotePod(11), BackendPort, TcpFlags.Rst);
        ExpectUnchanged(Hook.TcEgress, reset.Via(Ground.Node2, Ground.Up0.Mac));
    }

    [PrivilegedTheory]
    [EachHook(Protocol.Tcp)]
    [EachHook(Protocol.Udp)]
    [EachHook(Protocol.Sctp)]
    public void S63_Port_zero_is_malformed(Hook hook, AddressFamily family, Protocol protocol)
    {
        Serve(family, protocol, Where.Local, Where.Remote);
        ExpectDrop(hook, FromClient(family, Content(protocol, sourcePort: 0)), Reason.Malformed);
        Layer4 toZero = protocol switch
        {
            Protocol.Tcp => new TcpSegment(ClientPort, 0, TcpFlags.Syn),
            Protocol.Udp => new UdpDatagram(ClientPort, 0),
            _ => new SctpPacket(ClientPort, 0),
        };
        ExpectDrop(hook, FromClient(family, toZero), Reason.Malformed);
    }

    [PrivilegedTheory]
    [EachHook(Protocol.Tcp)]
    [EachHook(Protocol.Udp)]
    public void S67_A_service_whose_backend_is_itself_does_not_run_in_circles(Hook hook, AddressFamily family, Protocol protocol)
    {
        var vip = AddressPlan.Of(family).Vip(1);
        World.Put(new ServiceSpec("web", protocol, [Frontend(family)], [new BackendSpec(vip, ServicePort, false)]));
        ExpectDrop(hook, FromClient(family, Content(protocol)), Reason.Loop);
    }

    [PrivilegedTheory]
    [EachHook(Protocol.Tcp)]
    [EachHook(Protocol.Udp)]
    public void S67_A_service_whose_backend_is_another_service_does_not_run_in_circles(Hook hook, AddressFamily family, Protocol protocol)
    {
        var plan = AddressPlan.Of(family);
        World.Put(new ServiceSpec("web", protocol, [Frontend(family)], [new BackendSpec(plan.Vip(2), ServicePort, false)]));
        World.Put(new ServiceSpec(
            "other", protocol, [new FrontendOf(plan.Vip(2), ServicePort, FrontendFlags.LoadBalancer)],
                [new BackendSpec(plan.Vip(1), ServicePort, false)]));
        ExpectDrop(hook, FromClient(family, Content(protocol)), Reason.Loop);
    }

    // The node's stack gets it, at a port that nobody is asked about a second time.
    [PrivilegedTheory]
    [EachHook(Protocol.Tcp)]
    [EachHook(Protocol.Udp)]
    public void S67_A_service_whose_backend_is_a_NodePort_of_this_node_does_not_run_in_circles(
        Hook hook, AddressFamily family, Protocol protocol)
    {
        var plan = AddressPlan.Of(family);
        World.Put(new ServiceSpec(
            "web", protocol, [Frontend(family), new FrontendOf(plan.Wildcard, 30080, FrontendFlags.NodePort)],
                [new BackendSpec(plan.Node, 30080, true)]));
        var result = Run(hook, FromClient(family, Content(protocol)));
        Assert.False(result.IsSent);
    }

    private Socket Listen(Address address, ushort port, Protocol protocol) => Ground.Inside(() =>
    {
        var at = new IPEndPoint(address.ToIPAddress(), port);
        var (type, of) = protocol == Protocol.Tcp ? (SocketType.Stream, ProtocolType.Tcp) : (SocketType.Dgram, ProtocolType.Udp);
        var socket = new Socket(at.AddressFamily, type, of);
        socket.Bind(at);
        if (protocol == Protocol.Tcp)
            socket.Listen();
        return socket;
    });
}
