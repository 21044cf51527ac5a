// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.Packets.Tests.Ground;
using EbpfLb.Packets.Tests.Packets;

namespace EbpfLb.Packets.Tests;

/// <summary>What is counted, and that it is counted once.</summary>
public sealed class CounterTests(PacketGround ground) : PacketTest(ground)
{
    [PrivilegedTheory]
    [EachHook(Protocol.Tcp, Where.Local)]
    [EachHook(Protocol.Tcp, Where.Remote)]
    [EachHook(Protocol.Udp, Where.Local)]
    [EachHook(Protocol.Udp, Where.Far)]
    public void A_backend_is_told_its_connections_at_once_and_its_packets_by_the_sweep(
        Hook hook, AddressFamily family, Protocol protocol, Where where)
    {
        Serve(family, protocol, where);
        ulong bytesIn = 0, bytesOut = 0;
        PacketResult sent = Ask();
        Answer();
        Answer();
        Ask();
        Ask();
        Assert.Equal(1ul, World.CountersOf(World["web"].Backends[0]).Connections);
        World.Sweep();
        var expected = new CountersValue { Connections = 1, PacketsIn = 3, BytesIn = bytesIn, PacketsOut = 2, BytesOut = bytesOut };
        Assert.Equal(expected, World.CountersOf(World["web"].Backends[0]));
        World.Sweep();
        Assert.Equal(expected, World.CountersOf(World["web"].Backends[0]));

        Ask();
        World.Age(9000);
        World.Sweep();
        Assert.Empty(World.Conntrack);
        Assert.Equal(expected with { PacketsIn = 4, BytesIn = bytesIn }, World.CountersOf(World["web"].Backends[0]));

        PacketResult Ask()
        {
            var packet = FromClient(family, Content(protocol, payload: Bytes(33)));
            bytesIn += (ulong)packet.ToNetworkBytes().Length;
            return Judge(hook, packet);
        }

        void Answer()
        {
            var (packet, at, device) = AnswerTo(hook, sent, Content(protocol, flags: TcpFlags.Syn | TcpFlags.Ack, payload: Bytes(55)));
            bytesOut += (ulong)packet.ToNetworkBytes().Length;
            Judge(at, packet, device);
        }
    }

    [PrivilegedTheory]
    [EachHook]
    public void A_reason_is_counted_with_the_bytes_of_its_packet(Hook hook, AddressFamily family)
    {
        Serve(family, Protocol.Udp, Where.Remote);
        var packet = FromClient(family, Content(Protocol.Udp)) with { Destination = AddressPlan.Of(family).Unallocated };
        var before = World.Counts(hook, Reason.Unallocated);
        Run(hook, packet);
        var after = World.Counts(hook, Reason.Unallocated);
        Assert.Equal(1ul, after.Packets - before.Packets);
        Assert.InRange((int)(after.Bytes - before.Bytes), packet.ToNetworkBytes().Length, packet.ToBytes().Length);
    }

    [PrivilegedTheory]
    [EachHook]
    public void What_is_not_ours_is_not_counted(Hook hook, AddressFamily family)
    {
        Serve(family, Protocol.Udp, Where.Remote);
        var plan = AddressPlan.Of(family);
        ExpectUnchanged(hook, Arriving(Packet.Udp(plan.Client(10), ClientPort, plan.Unreachable, ServicePort)));
        ExpectUnchanged(hook, Arriving(Packet.Tcp(plan.Client(10), ClientPort, plan.Node, 22, TcpFlags.Syn)));
        ExpectUnchanged(hook, Arriving(Packet.Tcp(plan.Client(10), ClientPort, plan.LocalPod(11), BackendPort, TcpFlags.Syn)));
        ExpectUnchanged(hook, Arriving(Packet.Tcp(plan.Client(10), ClientPort, plan.Node, 22, TcpFlags.Fin | TcpFlags.Psh | TcpFlags.Urg)));
    }

    [PrivilegedFact]
    public void A_sweep_of_nothing_finds_nothing()
    {
        Assert.Equal(default, World.Sweep());
    }

    [PrivilegedTheory]
    [EachHook]
    public void A_sweep_tells_what_there_is(Hook hook, AddressFamily family)
    {
        World.Put(new ServiceSpec("web", Protocol.Udp, [Frontend(family)], Backends(family, Where.Remote, Where.Local)));
        for (ushort port = 41000; port < 41050; port++)
            Judge(hook, FromClient(family, Content(Protocol.Udp, port)));
        var sweep = World.Sweep();
        Assert.Equal(((ulong)World.Conntrack.Count, 0ul, 50ul), (sweep.Entries, sweep.Expired, sweep.Flows));
        Assert.Equal(50, World.Flows);
    }

    [PrivilegedTheory]
    [EachHook]
    public void A_sweep_counts_questions_and_their_answer_as_one_flow(Hook hook, AddressFamily family)
    {
        Serve(family, Protocol.Udp, Where.Remote);
        // As a resolver does that asks for two families.
        Judge(hook, FromClient(family, Content(Protocol.Udp)));
        Assert.Equal((1ul, 0ul), FlowsOf(World.Sweep()));
        var sent = Judge(hook, FromClient(family, Content(Protocol.Udp)));
        Assert.Equal((1ul, 0ul), FlowsOf(World.Sweep()));
        JudgeAnswer(hook, sent, Content(Protocol.Udp));
        Assert.Equal((1ul, 0ul), FlowsOf(World.Sweep()));
        Judge(hook, FromClient(family, Content(Protocol.Udp)));
        Assert.Equal((1ul, 0ul), FlowsOf(World.Sweep()));
    }

    [PrivilegedTheory]
    [EachHook]
    public void Datagrams_without_an_answer_take_no_half_open_connection_from_the_count(Hook hook, AddressFamily family)
    {
        World.Put(new ServiceSpec("web", Protocol.Udp, [Frontend(family)], Backends(family, Where.Remote)));
        World.Put(new ServiceSpec("connections", Protocol.Tcp, [Frontend(family)], Backends(family, Where.Remote)));
        Run(hook, FromClient(family, Segment(TcpFlags.Syn)));
        for (int i = 0; i < 3; i++)
            Run(hook, FromClient(family, Content(Protocol.Udp)));
        Assert.Equal((2ul, 1ul), FlowsOf(World.Sweep()));
    }

    private static (ulong Flows, ulong HalfOpen) FlowsOf(SweepValue sweep) => (sweep.Flows, sweep.HalfOpen);
}
