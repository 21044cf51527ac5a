// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.Packets.Tests.Ground;
using EbpfLb.Packets.Tests.Packets;

namespace EbpfLb.Packets.Tests;

/// <summary>Segments: which begin a flow, which belong to one, and which are nonsense.</summary>
public sealed class TcpTests(PacketGround ground) : PacketTest(ground)
{
    [PrivilegedTheory]
    [EachHook((byte)TcpFlags.None)]
    [EachHook((byte)(TcpFlags.Fin | TcpFlags.Psh | TcpFlags.Urg))]
    [EachHook((byte)(TcpFlags.Syn | TcpFlags.Fin))]
    [EachHook((byte)(TcpFlags.Syn | TcpFlags.Rst))]
    [EachHook((byte)(TcpFlags.Syn | TcpFlags.Fin | TcpFlags.Ack))]
    [EachHook((byte)63)]
    public void S64_Nonsense_in_the_flags_begins_nothing_and_is_counted(Hook hook, AddressFamily family, byte flags)
    {
        Serve(family, Protocol.Tcp, Where.Local, Where.Remote);
        ExpectDrop(hook, FromClient(family, Segment((TcpFlags)flags)), Reason.Malformed);
        Assert.Empty(World.Conntrack);
    }

    [PrivilegedTheory]
    [EachHook((byte)(TcpFlags.Fin | TcpFlags.Ack))]
    [EachHook((byte)TcpFlags.Rst)]
    [EachHook((byte)(TcpFlags.Rst | TcpFlags.Ack))]
    public void S64_The_end_of_a_flow_nobody_knows_begins_nothing(Hook hook, AddressFamily family, byte flags)
    {
        Serve(family, Protocol.Tcp, Where.Local, Where.Remote);
        ExpectDrop(hook, FromClient(family, Segment((TcpFlags)flags)), Reason.NoFlow);
        Assert.Empty(World.Conntrack);
    }

    [PrivilegedTheory]
    [EachHook(0)]
    [EachHook(1)]
    [EachHook(4)]
    [EachHook(6)]
    [EachHook(15)]
    public void S65_A_data_offset_outside_of_the_segment_is_malformed(Hook hook, AddressFamily family, int words)
    {
        Serve(family, Protocol.Tcp, Where.Local, Where.Remote);
        ExpectDrop(hook, FromClient(family, Segment(TcpFlags.Syn) with { DataOffset = words }), Reason.Malformed);
    }

    [PrivilegedTheory]
    [EachHook(-8)]
    [EachHook(-1)]
    [EachHook(+1)]
    [EachHook(+1000)]
    public void S65_A_UDP_length_that_is_not_that_of_the_datagram_does_no_harm(Hook hook, AddressFamily family, int more)
    {
        Serve(family, Protocol.Udp, Where.Local);
        var datagram = new UdpDatagram(ClientPort, ServicePort) { Payload = Bytes(20), Length = 28 + more };
        byte[] frame = FromClient(family, datagram).ToBytes();
        var result = Run(hook, frame);
        // Its receiver judges the length; a translation must leave it.
        if (result.Fate == Fate.Pass && !result.Bytes.AsSpan().SequenceEqual(frame))
            Reference.Check(hook, Ground.Up0, frame, result);
    }

    [PrivilegedTheory]
    [EachHook(Where.Local, 100)]
    [EachHook(Where.Remote, 100)]
    [EachHook(Where.Far, 1300)]
    public void S66_Data_in_the_first_segment_stays(Hook hook, AddressFamily family, Where where, int length)
    {
        Serve(family, Protocol.Tcp, where);
        var packet = FromClient(family, Segment(TcpFlags.Syn, length) with { Options = [34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1] });
        var sent = ParsedPacket.OfFrame(Judge(hook, packet).Bytes)!;
        Assert.Equal(Bytes(length), sent.Bytes[(sent.End - length)..sent.End]);
        Assert.Empty(sent.WrongSums());
    }

    [PrivilegedTheory]
    [EachHook(Where.Local)]
    [EachHook(Where.Remote)]
    public void S89_A_segment_without_its_flow_finds_the_backend_and_port_it_had(Hook hook, AddressFamily family, Where where)
    {
        Serve(family, Protocol.Tcp, where, where, where, where, where);
        for (ushort port = 41000; port < 41020; port++)
        {
            Judge(hook, FromClient(family, Segment(TcpFlags.Syn, sourcePort: port)));
            var before = ParsedPacket.OfFrame(Judge(hook, FromClient(family, Segment(TcpFlags.Ack, 50, port))).Bytes)!;
            World.ChangeConntrack((_, _) => null);
            ulong pickedUp = World.Count(hook, Reason.PickedUp);
            var after = ParsedPacket.OfFrame(Run(hook, FromClient(family, Segment(TcpFlags.Ack, 50, port))).Bytes)!;
            EbpfLb.Packets.Tests.Reference.ReferenceDatapath.AssertSame(before.Bytes, after.Bytes);
            Assert.Equal(pickedUp + 1, World.Count(hook, Reason.PickedUp));
            Assert.Equal(1, World.Flows);
            Assert.All(World.Conntrack, entry => Assert.True(entry.Value.Flags.HasFlag(ConntrackFlags.PickedUp)));
        }
    }

    [PrivilegedTheory]
    [EachHook(Where.Local)]
    [EachHook(Where.Remote)]
    public void S89_The_answer_to_a_flow_that_was_picked_up_shows_the_service(Hook hook, AddressFamily family, Where where)
    {
        Serve(family, Protocol.Tcp, where);
        var sent = Judge(hook, FromClient(family, Segment(TcpFlags.Ack, 50)));
        JudgeAnswer(hook, sent, new TcpSegment(0, 0, TcpFlags.Ack) { Payload = Bytes(10) });
    }
}
