// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.Packets.Tests.Ground;
using EbpfLb.Packets.Tests.Packets;
using EbpfLb.Packets.Tests.Reference;

namespace EbpfLb.Packets.Tests;

/// <summary>Connections whose backend is gone for good.</summary>
public sealed class DeadBackendTests(PacketGround ground) : PacketTest(ground)
{
    private const uint Grace = 60;
    private const TcpFlags SynAck = TcpFlags.Syn | TcpFlags.Ack;
    private const TcpFlags FinAck = TcpFlags.Fin | TcpFlags.Ack;

    [PrivilegedTheory]
    [EachHook(Where.Local)]
    [EachHook(Where.Remote)]
    [EachHook(Where.Far)]
    public void A_client_that_speaks_to_a_dead_backend_is_reset_from_the_address_it_dialled(Hook hook, AddressFamily family, Where where)
    {
        Die(hook, family, where);
        foreach (var segment in new[]
            {
                Segment(TcpFlags.Ack | TcpFlags.Psh, 40),
                Segment(TcpFlags.Ack),
                Segment(FinAck),
                Segment(TcpFlags.Ack, 1200) with { Options = [1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8] },
            })
            ExpectAnswer(hook, FromClient(family, segment), Reason.BackendGone, Answers.CheckReset);
    }

    [PrivilegedTheory]
    [EachHook(Where.Local)]
    [EachHook(Where.Remote)]
    public void The_flow_is_forgotten_like_any_that_was_reset(Hook hook, AddressFamily family, Where where)
    {
        Die(hook, family, where);
        Assert.Equal((1u, 1u), (World.Sweep(Grace).Lost, World.Sweep(Grace).Dead));
        ExpectAnswer(hook, FromClient(family, Segment(TcpFlags.Ack, 1)), Reason.BackendGone, Answers.CheckReset);
        World.Sweep(Grace);
        Assert.Equal(1, World.Flows);
        World.Age(11);
        World.Sweep(Grace);
        Assert.Empty(World.Conntrack);
    }

    [PrivilegedTheory]
    [EachHook(Where.Local)]
    [EachHook(Where.Remote)]
    public void Before_the_grace_is_over_nothing_changes(Hook hook, AddressFamily family, Where where)
    {
        var (service, _) = Lose(hook, family, where);
        var sweep = World.Sweep(Grace);
        Assert.Equal((1u, 0u), (sweep.Lost, sweep.Dead));
        World.Age(Grace - 5);
        sweep = World.Sweep(Grace);
        Assert.Equal((1u, 0u), (sweep.Lost, sweep.Dead));
        Judge(hook, FromClient(family, Segment(TcpFlags.Ack, 10)));

        // Idle for long, and back in time: the grace begins anew when it goes again.
        World.Age(3);
        World.Put(service);
        Assert.Equal(0u, World.Sweep(Grace).Lost);
        World.Put(service with { Backends = Others(family) });
        World.Sweep(Grace);
        World.Age(Grace - 5);
        Assert.Equal(0u, World.Sweep(Grace).Dead);
        Judge(hook, FromClient(family, Segment(TcpFlags.Ack, 10)));
    }

    [PrivilegedTheory]
    [EachHook(Where.Local)]
    [EachHook(Where.Remote)]
    public void S106_A_backend_that_goes_on_answering_keeps_its_connections(Hook hook, AddressFamily family, Where where)
    {
        var (_, sent) = Lose(hook, family, where);
        World.Sweep(Grace);
        for (int i = 0; i < 4; i++)
        {
            World.Age(Grace - 5);
            Judge(hook, FromClient(family, Segment(TcpFlags.Ack, 10)));
            JudgeAnswer(hook, sent, Segment(TcpFlags.Ack, 10));
            Assert.Equal(0u, World.Sweep(Grace).Dead);
        }

        World.Age(Grace + 1);
        Assert.Equal(1u, World.Sweep(Grace).Dead);
    }

    [PrivilegedTheory]
    [EachHook(Where.Local)]
    [EachHook(Where.Remote)]
    public void A_backend_that_is_heard_after_the_sweep_is_not_dead(Hook hook, AddressFamily family, Where where)
    {
        var sent = Die(hook, family, where);
        JudgeAnswer(hook, sent, Segment(TcpFlags.Ack | TcpFlags.Psh, 10));
        Judge(hook, FromClient(family, Segment(TcpFlags.Ack)));
        Judge(hook, FromClient(family, Segment(TcpFlags.Ack, 10)));
        Assert.Equal(0u, World.Sweep(Grace).Dead);
    }

    [PrivilegedTheory]
    [EachHook(Where.Local)]
    [EachHook(Where.Remote)]
    public void A_backend_that_comes_back_is_not_dead_either(Hook hook, AddressFamily family, Where where)
    {
        var (service, _) = Lose(hook, family, where);
        Wait();
        World.Put(service);
        var sweep = World.Sweep(Grace);
        Assert.Equal((0u, 0u), (sweep.Lost, sweep.Dead));
        Judge(hook, FromClient(family, Segment(TcpFlags.Ack, 10)));
        World.Sweep(Grace);
        // Each once, though the mark was where it was kept how many had been counted.
        Assert.Equal(4u, World.CountersOf(service.Backends[0]).PacketsIn);
    }

    [PrivilegedTheory]
    [EachHook(Where.Local)]
    [EachHook(Where.Remote)]
    public void Without_a_grace_connections_are_left_alone(Hook hook, AddressFamily family, Where where)
    {
        Die(hook, family, where);
        var sweep = World.Sweep(0);
        Assert.Equal((1u, 0u), (sweep.Lost, sweep.Dead));
        Judge(hook, FromClient(family, Segment(TcpFlags.Ack, 10)));
    }

    [PrivilegedTheory]
    [EachHook(Where.Local)]
    [EachHook(Where.Remote)]
    public void A_backend_that_gets_nobody_new_keeps_whom_it_has(Hook hook, AddressFamily family, Where where)
    {
        var service = Serve(family, Protocol.Tcp, where);
        var sent = Open(hook, family);
        World.Put(service with { Backends = [service.Backends[0] with { Lists = BackendFlags.Terminating }] });
        World.Sweep(Grace);
        Wait();
        Assert.Equal(0u, World.Sweep(Grace).Lost);
        Judge(hook, FromClient(family, Segment(TcpFlags.Ack, 10)));
        JudgeAnswer(hook, sent, Segment(TcpFlags.Ack, 10));
    }

    [PrivilegedTheory]
    [EachHook(Where.Local)]
    [EachHook(Where.Remote)]
    public void The_same_ports_may_open_another_connection_at_once(Hook hook, AddressFamily family, Where where)
    {
        Die(hook, family, where);
        Reference.ForgetAll();
        var opened = Judge(hook, FromClient(family, Segment(TcpFlags.Syn)));
        Assert.Equal(Others(family)[0].Address, ParsedPacket.OfFrame(opened.Bytes)!.Destination);
        JudgeAnswer(hook, opened, Segment(SynAck));
        Judge(hook, FromClient(family, Segment(TcpFlags.Ack)));
        Assert.Equal(1, World.Flows);
    }

    [PrivilegedTheory]
    [EachHook(Where.Local)]
    [EachHook(Where.Remote)]
    public void A_reset_of_the_client_is_never_answered(Hook hook, AddressFamily family, Where where)
    {
        Die(hook, family, where);
        Judge(hook, FromClient(family, Segment(TcpFlags.Rst)));
        Judge(hook, FromClient(family, Segment(TcpFlags.Rst | TcpFlags.Ack)));
    }

    [PrivilegedTheory]
    [EachHook(Where.Local)]
    [EachHook(Where.Remote)]
    public void An_opening_is_not_sent_again_to_a_backend_that_gets_nobody_new(Hook hook, AddressFamily family, Where where)
    {
        var service = Serve(family, Protocol.Tcp, where);
        Judge(hook, FromClient(family, Segment(TcpFlags.Syn)));
        World.Put(service with { Backends = [service.Backends[0] with { Lists = BackendFlags.None }, .. Others(family)] });
        Reference.ForgetAll();
        // The first one made the reply half only: the second finds no flow, the third does.
        Judge(hook, FromClient(family, Segment(TcpFlags.Syn)));
        var opened = Judge(hook, FromClient(family, Segment(TcpFlags.Syn)));
        Assert.Equal(Others(family)[0].Address, ParsedPacket.OfFrame(opened.Bytes)!.Destination);
    }

    [PrivilegedTheory]
    [InlineData(AddressFamily.IPv4)]
    [InlineData(AddressFamily.IPv6)]
    public void A_pod_is_reset_through_its_device(AddressFamily family)
    {
        var plan = AddressPlan.Of(family);
        var service = Serve(family, Protocol.Tcp, Where.Local);
        Packet FromPod(Layer4 content) =>
            new Packet(plan.LocalPod(50), plan.Vip(1), content).Via(Ground.Pod.Mac, PacketGround.Mac("02:00:00:00:01:99"));
        Run(Hook.TcPod, FromPod(Segment(TcpFlags.Syn)), Ground.Pod);
        var answer = new TcpSegment(BackendPort, ClientPort, SynAck);
        Run(
            Hook.TcEgress,
            new Packet(plan.LocalPod(11), plan.LocalPod(50), answer).Via(PacketGround.Mac("02:00:00:00:01:99"), Ground.Pod.Mac), Ground.Pod);
        Run(Hook.TcPod, FromPod(Segment(TcpFlags.Ack, 10)), Ground.Pod);
        World.Put(service with { Backends = Others(family) });
        Wait();
        ExpectAnswer(Hook.TcPod, FromPod(Segment(TcpFlags.Ack, 10)), Reason.BackendGone, Answers.CheckReset, Ground.Pod);
    }

    private static BackendSpec[] Others(AddressFamily family) => [new(AddressPlan.Of(family).LocalPod(77), BackendPort, OnNode: true)];

    private (ServiceSpec Service, PacketResult Sent) Lose(Hook hook, AddressFamily family, Where where)
    {
        var service = Serve(family, Protocol.Tcp, where);
        var sent = Open(hook, family);
        World.Put(service with { Backends = Others(family) });
        return (service, sent);
    }

    private PacketResult Die(Hook hook, AddressFamily family, Where where)
    {
        var (_, sent) = Lose(hook, family, where);
        Wait();
        return sent;
    }

    // The first sweep finds that it is gone, the second that it has been for long enough.
    private void Wait()
    {
        World.Sweep(Grace);
        World.Age(Grace + 1);
        World.Sweep(Grace);
    }

    private PacketResult Open(Hook hook, AddressFamily family)
    {
        var sent = Judge(hook, FromClient(family, Segment(TcpFlags.Syn)));
        JudgeAnswer(hook, sent, Segment(SynAck));
        Judge(hook, FromClient(family, Segment(TcpFlags.Ack)));
        Judge(hook, FromClient(family, Segment(TcpFlags.Ack | TcpFlags.Psh, 40)));
        JudgeAnswer(hook, sent, Segment(TcpFlags.Ack, 100));
        return sent;
    }
}
