// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.Packets.Tests.Ground;
using EbpfLb.Packets.Tests.Packets;
using EbpfLb.Packets.Tests.Reference;

namespace EbpfLb.Packets.Tests;

/// <summary>The life of a flow: begun, answered, ended, forgotten, found again.</summary>
public sealed class FlowTests(PacketGround ground) : PacketTest(ground)
{
    private const TcpFlags SynAck = TcpFlags.Syn | TcpFlags.Ack;
    private const TcpFlags FinAck = TcpFlags.Fin | TcpFlags.Ack;

    [PrivilegedTheory]
    [EachHook(Protocol.Tcp, Where.Local)]
    [EachHook(Protocol.Tcp, Where.Remote)]
    [EachHook(Protocol.Tcp, Where.Far)]
    [EachHook(Protocol.Udp, Where.Local)]
    [EachHook(Protocol.Udp, Where.Remote)]
    [EachHook(Protocol.Udp, Where.Far)]
    [EachHook(Protocol.Sctp, Where.Local)]
    [EachHook(Protocol.Sctp, Where.Remote)]
    public void S36_A_question_and_its_answer_are_translated_there_and_back(Hook hook, AddressFamily family, Protocol protocol, Where where)
    {
        Serve(family, protocol, where);
        var sent = Judge(hook, FromClient(family, Content(protocol)));
        var seen = ParsedPacket.OfFrame(JudgeAnswer(hook, sent, Content(protocol, flags: SynAck)).Bytes)!;
        var plan = AddressPlan.Of(family);
        Assert.Equal(new Rewrite.Tuple(plan.Vip(1), ServicePort, plan.Client(10), ClientPort), Rewrite.TupleOf(seen));
        Assert.Empty(seen.WrongSums());
    }

    [PrivilegedTheory]
    [EachHook(Where.Local)]
    [EachHook(Where.Remote)]
    public void S79_A_repeated_first_segment_stays_with_its_backend_whatever_happens_to_the_list(
        Hook hook, AddressFamily family, Where where)
    {
        var service = Serve(family, Protocol.Tcp, where, where, where, where);
        var syn = FromClient(family, Segment(TcpFlags.Syn));
        var first = Judge(hook, syn);
        World.Put(service with { Backends = [.. World["web"].Backends.Reverse()] });
        Assert.Equal(first.Bytes, Judge(hook, syn).Bytes);
        World.Put(service with { Backends = [.. World["web"].Backends.Skip(1), World["web"].Backends[0]] });
        Assert.Equal(first.Bytes, Judge(hook, syn).Bytes);
        Assert.Equal(1, World.Flows);
    }

    [PrivilegedTheory]
    [EachHook(Where.Local)]
    [EachHook(Where.Remote)]
    [EachHook(Where.Far)]
    public void S81_A_connection_closed_by_both_ends_is_translated_to_its_last_segment_and_then_forgotten(
        Hook hook, AddressFamily family, Where where)
    {
        Serve(family, Protocol.Tcp, where);
        Close(hook, family);
        Assert.Equal(1, World.Flows);
        World.Age(9);
        World.Sweep();
        Assert.Equal(1, World.Flows);
        World.Age(2);
        var sweep = World.Sweep();
        Assert.Empty(World.Conntrack);
        Assert.Equal((2ul, 2ul, 0ul), (sweep.Entries, sweep.Expired, sweep.Flows));
    }

    [PrivilegedTheory]
    [EachHook(Where.Local)]
    [EachHook(Where.Remote)]
    public void S81_A_connection_that_one_end_closed_waits_for_the_other(Hook hook, AddressFamily family, Where where)
    {
        Serve(family, Protocol.Tcp, where);
        var sent = Open(hook, family);
        Judge(hook, FromClient(family, Segment(FinAck)));
        World.Age(3590);
        World.Sweep();
        Assert.Equal(1, World.Flows);
        JudgeAnswer(hook, sent, Segment(TcpFlags.Ack, 100));
        World.Age(3601);
        World.Sweep();
        Assert.Empty(World.Conntrack);
    }

    [PrivilegedTheory]
    [EachHook(true)]
    [EachHook(false)]
    public void S84_A_reset_ends_a_connection_within_seconds_and_the_next_one_begins_at_once(Hook hook, AddressFamily family, bool ofClient)
    {
        Serve(family, Protocol.Tcp, Where.Remote);
        var sent = Open(hook, family);
        if (ofClient)
            Judge(hook, FromClient(family, Segment(TcpFlags.Rst)));
        else
            JudgeAnswer(hook, sent, Segment(TcpFlags.Rst | TcpFlags.Ack));
        Assert.Equal(1, World.Flows);

        Judge(hook, FromClient(family, Segment(TcpFlags.Syn)));
        Assert.Equal(1, World.Flows);
        Assert.DoesNotContain(World.Conntrack, entry => entry.Value.Flags.HasFlag(ConntrackFlags.Rst));
        Open(hook, family);
        Judge(hook, FromClient(family, Segment(TcpFlags.Rst)));
        World.Age(11);
        World.Sweep();
        Assert.Empty(World.Conntrack);
    }

    // A sweep meets the halves of a flow in any order.
    [PrivilegedTheory]
    [EachHook((byte)TcpFlags.Rst, true, 11)]
    [EachHook((byte)TcpFlags.Rst, false, 11)]
    [EachHook((byte)FinAck, true, 3601)]
    [EachHook((byte)FinAck, false, 3601)]
    public void S84_Whichever_half_a_sweep_meets_first_the_flow_ends(
        Hook hook, AddressFamily family, byte flags, bool ofClient, int seconds)
    {
        const int Flows = 30;
        Serve(family, Protocol.Tcp, Where.Remote);
        for (ushort port = 41000; port < 41000 + Flows; port++)
        {
            var sent = Judge(hook, FromClient(family, Segment(TcpFlags.Syn, sourcePort: port)));
            JudgeAnswer(hook, sent, Segment(SynAck));
            Judge(hook, FromClient(family, Segment(TcpFlags.Ack, sourcePort: port)));
            JudgeAnswer(hook, sent, Segment(TcpFlags.Ack, 10));
            if (ofClient)
                Judge(hook, FromClient(family, Segment((TcpFlags)flags, sourcePort: port)));
            else
                JudgeAnswer(hook, sent, Segment((TcpFlags)flags));
        }

        World.Age((uint)seconds);
        var sweep = World.Sweep();
        Assert.Empty(World.Conntrack);
        Assert.Equal((2ul * Flows, 0ul), (sweep.Expired, sweep.Orphans));
    }

    [PrivilegedTheory]
    [EachHook(true)]
    [EachHook(false)]
    public void S85_A_segment_after_a_reset_shows_that_it_was_not_meant(Hook hook, AddressFamily family, bool ofClient)
    {
        Serve(family, Protocol.Tcp, Where.Remote);
        var sent = Open(hook, family);
        if (ofClient)
            Judge(hook, FromClient(family, Segment(TcpFlags.Rst)));
        else
            JudgeAnswer(hook, sent, Segment(TcpFlags.Rst));
        Judge(hook, FromClient(family, Segment(TcpFlags.Ack, 10)));
        JudgeAnswer(hook, sent, Segment(TcpFlags.Ack, 10));
        World.Age(100);
        World.Sweep();
        Assert.Equal(1, World.Flows);
    }

    [PrivilegedTheory]
    [EachHook(Where.Local)]
    [EachHook(Where.Remote)]
    public void S87_A_client_that_uses_its_port_again_begins_a_new_flow(Hook hook, AddressFamily family, Where where)
    {
        var service = Serve(family, Protocol.Tcp, where);
        Close(hook, family);
        World.Put(service with { Backends = Backends(family, where, where, where)[1..] });
        var sent = Judge(hook, FromClient(family, Segment(TcpFlags.Syn)));
        Assert.Contains(
            World["web"].Backends, backend => backend.Address == ParsedPacket.OfFrame(sent.Bytes)!.Destination);
        JudgeAnswer(hook, sent, Segment(SynAck));
        // The half of a former backend may be there still; those of this flow have seen no end.
        var backend = ParsedPacket.OfFrame(sent.Bytes)!.Destination;
        var halves = World.Conntrack.Where(entry => entry.Key.Source == backend || entry.Value.Destination == backend).ToArray();
        Assert.Equal(2, halves.Length);
        Assert.DoesNotContain(halves, entry => entry.Value.Flags.HasFlag(ConntrackFlags.Fin));
    }

    [PrivilegedTheory]
    [EachHook]
    public void S90_One_client_port_through_two_addresses_makes_two_flows(Hook hook, AddressFamily family)
    {
        var plan = AddressPlan.Of(family);
        World.Put(new ServiceSpec(
            "web", Protocol.Tcp, [Frontend(family), new FrontendOf(plan.Vip(2), ServicePort, FrontendFlags.ExternalIP)],
            Backends(family, Where.Remote)));
        var one = Judge(hook, FromClient(family, Segment(TcpFlags.Syn)));
        var other = Judge(hook, FromClient(family, Segment(TcpFlags.Syn)) with { Destination = plan.Vip(2) });
        JudgeAnswer(hook, one, Segment(SynAck));
        JudgeAnswer(hook, other, Segment(SynAck));
        Assert.Equal(2, World.Flows);
    }

    [PrivilegedTheory]
    [EachHook]
    public void S91_When_every_source_port_is_taken_the_next_flow_fails_at_once(Hook hook, AddressFamily family)
    {
        const int Ports = 64;
        Serve(family, Protocol.Tcp, Where.Remote);
        World.Settings = World.Settings with { SnatPortFirst = 50000, SnatPortLast = 50000 + Ports - 1 };
        for (ushort port = 42000; port < 42000 + Ports; port++)
        {
            var sent = Judge(hook, FromClient(family, Segment(TcpFlags.Syn, sourcePort: port)));
            JudgeAnswer(hook, sent, Segment(SynAck));
            Judge(hook, FromClient(family, Segment(TcpFlags.Ack, sourcePort: port)));
        }

        Assert.Equal(Ports, World.Flows);

        ExpectAnswer(hook, FromClient(family, Segment(TcpFlags.Syn, sourcePort: 43000)), Reason.NoSnatPort, Answers.CheckRefusal);
        for (ushort port = 42000; port < 42000 + Ports; port++)
            Judge(hook, FromClient(family, Segment(TcpFlags.Ack, sourcePort: port)));

        var gone = World.Conntrack.First(entry => !entry.Value.Flags.HasFlag(ConntrackFlags.Reply));
        World.ChangeConntrack((key, value) => key == gone.Key || key.DestinationPort == gone.Value.SourcePort ? null : value);
        Assert.Equal(Ports - 1, World.Flows);
        Assert.True(Run(hook, FromClient(family, Segment(TcpFlags.Syn, sourcePort: 43000))).IsSent);
    }

    [PrivilegedTheory]
    [EachHook(1024, 1100)]
    [EachHook(65500, 65535)]
    [EachHook(50000, 50000)]
    [EachHook(1, 65535)]
    public void S92_Source_ports_stay_within_their_range(Hook hook, AddressFamily family, int first, int last)
    {
        World.Put(new ServiceSpec("web", Protocol.Udp, [Frontend(family)], Backends(family, Where.Remote, Where.Far, Where.Remote)));
        World.Settings = World.Settings with { SnatPortFirst = (ushort)first, SnatPortLast = (ushort)last };
        int served = 0;
        for (ushort port = 1; port <= 100; port++)
        {
            var result = Run(hook, FromClient(family, Content(Protocol.Udp, port)));
            var sent = ParsedPacket.OfFrame(result.Bytes)!;
            // The others are refused: handed down by XDP, an ICMP error of tc.
            if (!result.IsSent || sent.Protocol != Layer4.Udp)
                continue;

            served++;
            Assert.InRange(sent.SourcePort, first, last);
        }

        Assert.True(served >= Math.Min(last - first + 1, 30), $"{served}");
    }

    [PrivilegedTheory]
    [EachHook(Protocol.Tcp, Where.Local, "forward", "client")]
    [EachHook(Protocol.Tcp, Where.Local, "forward", "backend")]
    [EachHook(Protocol.Tcp, Where.Local, "reply", "client")]
    [EachHook(Protocol.Tcp, Where.Local, "reply", "backend")]
    [EachHook(Protocol.Tcp, Where.Remote, "forward", "client")]
    [EachHook(Protocol.Tcp, Where.Remote, "forward", "backend")]
    [EachHook(Protocol.Tcp, Where.Remote, "reply", "client")]
    [EachHook(Protocol.Tcp, Where.Remote, "reply", "backend")]
    [EachHook(Protocol.Udp, Where.Remote, "forward", "client")]
    [EachHook(Protocol.Udp, Where.Remote, "forward", "backend")]
    [EachHook(Protocol.Udp, Where.Remote, "reply", "client")]
    public void S94_Either_half_of_a_flow_comes_back_with_the_same_port(
        Hook hook, AddressFamily family, Protocol protocol, Where where, string lost, string speaker)
    {
        Serve(family, protocol, where, where, where);
        var sent = Judge(hook, FromClient(family, Content(protocol)));
        var (answer, at, device) = AnswerTo(hook, sent, Content(protocol, flags: SynAck));
        Judge(at, answer, device);
        var before = World.Conntrack.ToDictionary(entry => entry.Key, entry => entry.Value);
        World.ChangeConntrack((_, value) => value.Flags.HasFlag(ConntrackFlags.Reply) == (lost == "reply")
            ? null
            : value with { Checked = value.Checked - World.Coarse(5) });
        Assert.Single(World.Conntrack);

        bool ofClient = speaker == "client";
        // Without its own half a backend is not heard before its client has spoken again: nothing else names the service.
        if (lost == "reply" && !ofClient)
        {
            Run(hook, FromClient(family, Content(protocol, flags: TcpFlags.Ack)));
            Run(at, answer, device);
        }
        else if (ofClient)
        {
            Assert.Equal(sent.Fate, Run(hook, FromClient(family, Content(protocol, flags: TcpFlags.Ack))).Fate);
        }
        else
        {
            Assert.NotEqual(Fate.Drop, Run(at, answer, device).Fate);
        }

        var after = World.Conntrack.ToDictionary(entry => entry.Key, entry => entry.Value);
        Assert.Equal(before.Keys.OrderBy(key => key.ToString()), after.Keys.OrderBy(key => key.ToString()));
        foreach (var (key, value) in after)
        {
            var old = before[key];
            Assert.Equal(
                (old.Source, old.SourcePort, old.Destination, old.DestinationPort),
                (value.Source, value.SourcePort, value.Destination, value.DestinationPort));
            Assert.Equal(old.BackendId, value.BackendId);
        }

        if (protocol == Protocol.Tcp)
        {
            Judge(hook, FromClient(family, Segment(TcpFlags.Ack, 20)));
            Judge(at, answer, device);
        }
    }

    [PrivilegedTheory]
    [EachHook]
    public void S97_An_idle_connection_lives_as_long_as_its_time_and_probes_prolong_it(Hook hook, AddressFamily family)
    {
        Serve(family, Protocol.Tcp, Where.Remote);
        var sent = Open(hook, family);
        for (int i = 0; i < 3; i++)
        {
            World.Age(7000);
            World.Sweep();
            Assert.Equal(1, World.Flows);
            Judge(hook, FromClient(family, Segment(TcpFlags.Ack)));
            JudgeAnswer(hook, sent, Segment(TcpFlags.Ack));
        }

        World.Age(8001);
        World.Sweep();
        Assert.Empty(World.Conntrack);
        var again = Run(hook, FromClient(family, Segment(TcpFlags.Ack)));
        Assert.Equal(ParsedPacket.OfFrame(sent.Bytes)!.SourcePort, ParsedPacket.OfFrame(again.Bytes)!.SourcePort);
    }

    // One direction may be silent for long: the flow lives with the other.
    [PrivilegedTheory]
    [EachHook(true)]
    [EachHook(false)]
    public void S97_A_connection_in_which_one_end_speaks_is_not_idle(Hook hook, AddressFamily family, bool client)
    {
        Serve(family, Protocol.Tcp, Where.Remote);
        var sent = Open(hook, family);
        World.Age(7999);
        if (client)
            Judge(hook, FromClient(family, Segment(TcpFlags.Ack)));
        else
            JudgeAnswer(hook, sent, Segment(TcpFlags.Ack));
        World.Age(100);
        World.Sweep();
        Assert.Equal(1, World.Flows);
    }

    [PrivilegedTheory]
    [EachHook]
    public void S97_A_connection_that_was_never_answered_is_soon_forgotten(Hook hook, AddressFamily family)
    {
        Serve(family, Protocol.Tcp, Where.Remote);
        Judge(hook, FromClient(family, Segment(TcpFlags.Syn)));
        World.Age(29);
        Assert.Equal(1ul, World.Sweep().HalfOpen);
        Assert.Equal(1, World.Flows);
        World.Age(2);
        World.Sweep();
        Assert.Empty(World.Conntrack);
    }

    [PrivilegedTheory]
    [EachHook(Protocol.Udp, 60, Where.Remote)]
    [EachHook(Protocol.Udp, 60, Where.Local)]
    [EachHook(Protocol.Sctp, 300, Where.Remote)]
    public void S98_An_idle_flow_is_forgotten_and_then_chooses_anew(
        Hook hook, AddressFamily family, Protocol protocol, int seconds, Where where)
    {
        var service = Serve(family, protocol, where);
        var packet = FromClient(family, Content(protocol));
        var sent = Judge(hook, packet);
        World.Age((uint)seconds - 1);
        World.Sweep();
        Assert.Equal(1, World.Flows);
        World.Put(service with { Backends = [.. World["web"].Backends, .. Backends(family, where, where)[1..]] });
        Assert.Equal(sent.Bytes, Judge(hook, packet).Bytes);

        World.Put(service with { Backends = Backends(family, where, where)[1..] });
        World.Age((uint)seconds + 1);
        World.Sweep();
        Assert.Empty(World.Conntrack);
        var again = ParsedPacket.OfFrame(Run(hook, packet).Bytes)!;
        Assert.Equal(PodAt(family, where, 12), again.Destination);
    }

    [PrivilegedTheory]
    [EachHook(Where.Local)]
    [EachHook(Where.Remote)]
    public void S98_S99_A_datagram_follows_its_service_when_the_backend_is_gone(Hook hook, AddressFamily family, Where where)
    {
        var service = Serve(family, Protocol.Udp, where);
        var packet = FromClient(family, Content(Protocol.Udp));
        Judge(hook, packet);
        World.Put(service with { Backends = Backends(family, where, where)[1..] });
        World.Sweep();
        Assert.Empty(World.Conntrack);
        Assert.Equal(PodAt(family, where, 12), ParsedPacket.OfFrame(Run(hook, packet).Bytes)!.Destination);
    }

    [PrivilegedTheory]
    [EachHook(Where.Local)]
    [EachHook(Where.Remote)]
    public void S106_A_connection_stays_with_a_backend_that_left_the_service(Hook hook, AddressFamily family, Where where)
    {
        var service = Serve(family, Protocol.Tcp, where);
        var sent = Open(hook, family);
        World.Put(service with { Backends = Backends(family, where, where)[1..] });
        World.Sweep();
        Assert.Equal(1, World.Flows);
        Judge(hook, FromClient(family, Segment(TcpFlags.Ack, 10)));
        JudgeAnswer(hook, sent, Segment(TcpFlags.Ack, 10));
    }

    [PrivilegedTheory]
    [EachHook]
    public void A_half_that_nobody_makes_whole_is_swept_with_its_time(Hook hook, AddressFamily family)
    {
        Serve(family, Protocol.Udp, Where.Remote);
        Judge(hook, FromClient(family, Content(Protocol.Udp)));
        World.ChangeConntrack((_, value) => value.Flags.HasFlag(ConntrackFlags.Reply) ? null : value);
        World.Age(61);
        World.Sweep();
        Assert.Empty(World.Conntrack);
    }

    // What runs while the routes change must not go on to where they led.
    [PrivilegedTheory]
    [EachHook]
    public void A_flow_asks_for_its_route_again_when_the_agent_says_so(Hook hook, AddressFamily family)
    {
        Serve(family, Protocol.Udp, Where.Remote);
        var packet = FromClient(family, Content(Protocol.Udp));
        Judge(hook, packet);
        Judge(hook, packet);
        World.ChangeConntrack((_, value) => value with { DestinationMac = PacketGround.Mac("02:66:66:66:66:66") });
        Assert.Equal(PacketGround.Mac("02:66:66:66:66:66"), new MacAddress(Run(hook, packet).Bytes));
        World.Settings = World.Settings with { Generation = World.Settings.Generation + 1 };
        Judge(hook, packet);
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

    private void Close(Hook hook, AddressFamily family)
    {
        var sent = Open(hook, family);
        Judge(hook, FromClient(family, Segment(FinAck)));
        JudgeAnswer(hook, sent, Segment(TcpFlags.Ack));
        JudgeAnswer(hook, sent, Segment(FinAck));
        Judge(hook, FromClient(family, Segment(TcpFlags.Ack)));
    }
}
