// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.Packets.Tests.Ground;
using EbpfLb.Packets.Tests.Packets;
using EbpfLb.Packets.Tests.Reference;

namespace EbpfLb.Packets.Tests;

/// <summary>One packet through every hook it meets, one after the other: it is translated once.</summary>
public sealed class ChainTests(PacketGround ground) : PacketTest(ground)
{
    [PrivilegedTheory]
    [EachHook(Protocol.Tcp)]
    [EachHook(Protocol.Udp)]
    [EachHook(Protocol.Sctp)]
    public void What_goes_to_a_local_backend_passes_the_hooks_behind(Hook hook, AddressFamily family, Protocol protocol)
    {
        Serve(family, protocol, Where.Local);
        byte[] translated = Judge(hook, FromClient(family, Content(protocol))).Bytes;
        if (hook == Hook.Xdp)
            ExpectUnchanged(Hook.TcIngress, translated);
        ExpectUnchanged(Hook.TcEgress, translated, device: Ground.Pod);
    }

    [PrivilegedTheory]
    [EachHook(Protocol.Tcp)]
    [EachHook(Protocol.Udp)]
    [EachHook(Protocol.Sctp)]
    public void What_a_local_backend_answers_is_translated_where_it_leaves_the_node(Hook hook, AddressFamily family, Protocol protocol)
    {
        Serve(family, protocol, Where.Local);
        var sent = Judge(hook, FromClient(family, Content(protocol)));
        var (answer, _, _) = AnswerTo(hook, sent, Content(protocol, flags: TcpFlags.Syn | TcpFlags.Ack));
        ExpectUnchanged(Hook.TcPod, answer.Via(Ground.Pod.Mac, PacketGround.Mac("02:00:00:00:01:99")), device: Ground.Pod);
        Judge(Hook.TcEgress, answer);
    }

    // A redirect leads through tc_egress of the device it goes out by.
    [PrivilegedTheory]
    [EachHook(Protocol.Tcp, Where.Remote)]
    [EachHook(Protocol.Udp, Where.Remote)]
    [EachHook(Protocol.Sctp, Where.Remote)]
    [EachHook(Protocol.Tcp, Where.Far)]
    [EachHook(Protocol.Udp, Where.Far)]
    public void What_goes_to_a_remote_backend_and_back_passes_the_way_out(Hook hook, AddressFamily family, Protocol protocol, Where where)
    {
        Serve(family, protocol, where);
        var sent = Judge(hook, FromClient(family, Content(protocol)));
        ExpectUnchanged(Hook.TcEgress, sent.Bytes, device: where == Where.Far ? Ground.Up1 : Ground.Up0);
        var seen = JudgeAnswer(hook, sent, Content(protocol, flags: TcpFlags.Syn | TcpFlags.Ack));
        ExpectUnchanged(Hook.TcEgress, seen.Bytes);
    }

    [PrivilegedTheory]
    [InlineData(AddressFamily.IPv4, Protocol.Tcp)]
    [InlineData(AddressFamily.IPv4, Protocol.Udp)]
    [InlineData(AddressFamily.IPv6, Protocol.Tcp)]
    [InlineData(AddressFamily.IPv6, Protocol.Udp)]
    public void An_answer_of_the_node_itself_passes_the_way_out(AddressFamily family, Protocol protocol)
    {
        World.Put(new ServiceSpec("web", protocol, [Frontend(family)], []) { Flags = ServiceFlags.None });
        ExpectAnswer(Hook.TcIngress, FromClient(family, Content(protocol)), Reason.RefusedNoEndpoint, (_, result) =>
            ReferenceDatapath.AssertSame(result.Bytes, Run(Hook.TcEgress, result.Bytes).Bytes));
    }

    [PrivilegedTheory]
    [InlineData(AddressFamily.IPv4, Protocol.Tcp)]
    [InlineData(AddressFamily.IPv4, Protocol.Udp)]
    [InlineData(AddressFamily.IPv6, Protocol.Tcp)]
    [InlineData(AddressFamily.IPv6, Protocol.Udp)]
    public void What_XDP_leaves_to_tc_is_one_flow_there_and_for_both(AddressFamily family, Protocol protocol)
    {
        Serve(family, protocol, Where.Remote);
        var partial = FromClient(family, Content(protocol) with { Sum = Sum.Partial });
        ExpectUnchanged(Hook.Xdp, partial, Reason.HandedDown);
        var whole = FromClient(family, Content(protocol));
        byte[] atTc = Judge(Hook.TcIngress, whole).Bytes;
        Assert.Equal(atTc, Judge(Hook.Xdp, whole).Bytes);
        Assert.Equal(1, World.Flows);
    }
}
