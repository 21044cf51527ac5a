// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers.Binary;
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.Packets.Tests.Ground;
using EbpfLb.Packets.Tests.Packets;

namespace EbpfLb.Packets.Tests;

/// <summary>Datagrams in pieces.</summary>
public sealed class FragmentTests(PacketGround ground) : PacketTest(ground)
{
    private const int Piece = 1232;

    [PrivilegedTheory]
    [EachHook(Where.Local, 4000)]
    [EachHook(Where.Remote, 4000)]
    [EachHook(Where.Remote, 1300)]
    [EachHook(Where.Far, 4000)]
    public void S42_S55_Every_piece_of_a_datagram_reaches_one_backend_and_fits_together_again(
        Hook hook, AddressFamily family, Where where, int size)
    {
        Serve(family, Protocol.Udp, where, where, where);
        var whole = FromClient(family, Content(Protocol.Udp, payload: Bytes(size)));
        var results = whole.Fragment(Piece, 0x1234).Select(piece => Run(hook, piece)).ToArray();
        AssertDatagram(whole, where, results);
        Assert.Equal(1, World.Flows);
        Assert.Single(World.FragmentEntries);
    }

    [PrivilegedTheory]
    [EachHook(Where.Local)]
    [EachHook(Where.Remote)]
    public void S42_S55_A_second_datagram_of_the_flow_goes_where_the_first_went(Hook hook, AddressFamily family, Where where)
    {
        Serve(family, Protocol.Udp, where, where, where);
        var whole = FromClient(family, Content(Protocol.Udp, payload: Bytes(3000)));
        var first = Judge(hook, FromClient(family, Content(Protocol.Udp)));
        foreach (uint id in new uint[] { 1, 2, 0xfffe })
        {
            var results = whole.Fragment(Piece, id).Select(piece => Run(hook, piece)).ToArray();
            AssertDatagram(whole, where, results);
            Assert.Equal(ParsedPacket.OfFrame(first.Bytes)!.Destination, ParsedPacket.OfFrame(results[^1].Bytes)!.Destination);
        }
    }

    [PrivilegedTheory]
    [EachHook(Where.Local)]
    [EachHook(Where.Remote)]
    public void S42_S55_Pieces_in_the_other_direction_show_the_service(Hook hook, AddressFamily family, Where where)
    {
        Serve(family, Protocol.Udp, where);
        var question = FromClient(family, Content(Protocol.Udp));
        var sent = Judge(hook, question);
        var (answer, at, device) = AnswerTo(hook, sent, new UdpDatagram(0, 0) { Payload = Bytes(3000) });
        var results = answer.Fragment(Piece, 77).Select(piece => Run(at, piece, device)).ToArray();
        byte[] datagram = Reassemble(results, out var source, out var destination);
        Assert.Equal((question.Destination, question.Source), (source, destination));
        var expected = new UdpDatagram(ServicePort, ClientPort) { Payload = Bytes(3000) };
        Assert.Equal(expected.ToBytes(source, destination), datagram);
    }

    [PrivilegedTheory]
    [EachHook(Where.Local)]
    [EachHook(Where.Remote)]
    public void S55_A_fragment_that_is_the_whole_datagram_is_treated_as_one(Hook hook, AddressFamily family, Where where)
    {
        Serve(family, Protocol.Udp, where);
        var packet = FromClient(family, Content(Protocol.Udp));
        if (family == AddressFamily.IPv6)
            packet = packet with { Extensions = [Extension.Fragment(0, more: false, 99)] };
        else
            packet = packet with { DontFragment = false };
        var sent = ParsedPacket.OfFrame(Judge(hook, packet).Bytes)!;
        Assert.Empty(sent.WrongSums());
        Assert.Empty(World.FragmentEntries);
    }

    [PrivilegedTheory]
    [EachHook]
    public void S43_A_piece_before_the_first_one_is_dropped(Hook hook, AddressFamily family)
    {
        Serve(family, Protocol.Udp, Where.Local, Where.Remote);
        var pieces = FromClient(family, Content(Protocol.Udp, payload: Bytes(3000))).Fragment(Piece, 5);
        ExpectUnknown(hook, pieces[1]);
        ExpectUnknown(hook, pieces[2]);
    }

    [PrivilegedTheory]
    [EachHook(Where.Local)]
    [EachHook(Where.Remote)]
    public void S42_An_SCTP_packet_in_pieces_is_dropped_because_its_checksum_covers_them_all(Hook hook, AddressFamily family, Where where)
    {
        Serve(family, Protocol.Sctp, where);
        Judge(hook, FromClient(family, Content(Protocol.Sctp)));
        var whole = FromClient(family, new SctpPacket(ClientPort, ServicePort) { Payload = Bytes(3000) });
        ExpectDrop(hook, whole.Fragment(Piece, 5)[0], Reason.Malformed);
        ExpectUnknown(hook, whole.Fragment(Piece, 5)[1]);
    }

    [PrivilegedTheory]
    [EachHook]
    public void S43_Pieces_of_other_peoples_datagrams_pass(Hook hook, AddressFamily family)
    {
        Serve(family, Protocol.Udp, Where.Local, Where.Remote);
        var plan = AddressPlan.Of(family);
        var whole = Arriving(Packet.Udp(plan.Client(10), ClientPort, plan.Unreachable, ServicePort, Bytes(3000)));
        foreach (var piece in whole.Fragment(Piece, 6))
            ExpectUnchanged(hook, piece);
    }

    [PrivilegedTheory]
    [EachHook]
    public void S43_Pieces_of_a_datagram_to_the_node_itself_pass(Hook hook, AddressFamily family)
    {
        Serve(family, Protocol.Udp, Where.Local, Where.Remote);
        var plan = AddressPlan.Of(family);
        var whole = Arriving(Packet.Udp(plan.Client(10), ClientPort, plan.Node, 514, Bytes(3000)));
        foreach (var piece in whole.Fragment(Piece, 6))
        {
            var result = Run(hook, piece);
            Assert.Equal(Fate.Pass, result.Fate);
            EbpfLb.Packets.Tests.Reference.ReferenceDatapath.AssertSame(piece.ToBytes(), result.Bytes);
        }
    }

    [PrivilegedTheory]
    [EachHook(Where.Local)]
    [EachHook(Where.Remote)]
    public void S44_Two_clients_with_one_id_do_not_get_into_each_others_way(Hook hook, AddressFamily family, Where where)
    {
        Serve(family, Protocol.Udp, where, where);
        var plan = AddressPlan.Of(family);
        var one = FromClient(family, Content(Protocol.Udp, 41111, payload: Bytes(3000, 1)));
        var other = FromClient(family, Content(Protocol.Udp, 42222, payload: Bytes(3000, 2))) with { Source = plan.Client(77) };
        var ones = new List<PacketResult>();
        var others = new List<PacketResult>();
        foreach (var (a, b) in one.Fragment(Piece, 9).Zip(other.Fragment(Piece, 9)))
        {
            ones.Add(Run(hook, a));
            others.Add(Run(hook, b));
        }

        AssertDatagram(one, where, [.. ones]);
        AssertDatagram(other, where, [.. others]);
    }

    // Behind one address, the id is all that tells one datagram from the other.
    [PrivilegedTheory]
    [EachHook]
    public void S44_Clients_that_look_alike_to_a_backend_do_not_share_an_id(Hook hook, AddressFamily family)
    {
        Serve(family, Protocol.Udp, Where.Remote);
        var plan = AddressPlan.Of(family);
        var ids = new HashSet<uint>();
        for (int client = 1; client <= 20; client++)
        {
            var whole = FromClient(family, Content(Protocol.Udp, payload: Bytes(3000))) with { Source = plan.Client(client) };
            ids.Add(IdOf(ParsedPacket.OfFrame(Run(hook, whole.Fragment(Piece, 9)[0]).Bytes)!));
        }

        Assert.True(ids.Count > 15, $"{ids.Count} ids for 20 datagrams");
    }

    [PrivilegedTheory]
    [EachHook]
    public void S44_What_is_known_of_a_datagram_is_forgotten_after_half_a_minute(Hook hook, AddressFamily family)
    {
        Serve(family, Protocol.Udp, Where.Remote);
        var pieces = FromClient(family, Content(Protocol.Udp, payload: Bytes(3000))).Fragment(Piece, 5);
        Assert.True(Run(hook, pieces[0]).IsSent);
        Assert.True(Run(hook, pieces[1]).IsSent);
        World.AgeFragments(31);
        ExpectUnknown(hook, pieces[2]);
    }

    [PrivilegedTheory]
    [EachHook(8)]
    [EachHook(16)]
    public void S45_A_first_piece_without_the_whole_TCP_header_is_dropped(Hook hook, AddressFamily family, int length)
    {
        Serve(family, Protocol.Tcp, Where.Local, Where.Remote);
        var whole = FromClient(family, Segment(TcpFlags.Syn, 100));
        ExpectDrop(hook, whole.Fragment(length, 5)[0], Reason.FragmentTiny);
    }

    [PrivilegedTheory]
    [EachHook]
    public void S45_A_piece_that_would_overwrite_the_TCP_header_is_dropped(Hook hook, AddressFamily family)
    {
        Serve(family, Protocol.Tcp, Where.Local, Where.Remote);
        var whole = FromClient(family, Segment(TcpFlags.Syn, 100));
        Run(hook, whole.Fragment(64, 5)[0]);
        ExpectDrop(hook, whole.Piece(Bytes(64), 8, more: true, 5), Reason.FragmentTiny);
    }

    [PrivilegedTheory]
    [EachHook]
    public void S45_A_first_piece_without_ports_is_dropped(Hook hook, AddressFamily family)
    {
        Serve(family, Protocol.Udp, Where.Local, Where.Remote);
        var whole = FromClient(family, Content(Protocol.Udp, payload: Bytes(100)));
        ExpectDropOrUnchanged(hook, whole.Piece([], 0, more: true, 5), Reason.FragmentTiny, Reason.Malformed);
        ExpectDropOrUnchanged(hook, whole.Piece([1, 2, 3], 0, more: true, 5), Reason.FragmentTiny, Reason.Malformed);
    }

    // The first piece may be on its way from XDP to tc, which sees all of them in order.
    private void ExpectUnknown(Hook hook, Packet piece)
    {
        if (hook == Hook.Xdp)
            ExpectUnchanged(hook, piece, Reason.HandedDown);
        else
            ExpectDrop(hook, piece, Reason.FragmentUnknown);
    }

    private static uint IdOf(ParsedPacket packet) => packet.IsIPv6
        ? BinaryPrimitives.ReadUInt32BigEndian(packet.Bytes.AsSpan(packet.FragmentIdAt))
        : BinaryPrimitives.ReadUInt16BigEndian(packet.Bytes.AsSpan(packet.Network + 4));

    /// <summary>What came out is what one translated datagram would be, in the same pieces.</summary>
    private void AssertDatagram(Packet whole, Where where, PacketResult[] results)
    {
        Assert.All(results, result => Assert.Equal(where == Where.Local, result.Fate == Fate.Pass));
        Assert.All(results, result => Assert.Equal(where != Where.Local, result.IsSent));
        byte[] datagram = Reassemble(results, out var source, out var destination);
        Assert.Contains(World["web"].Backends, backend => backend.Address == destination);
        ushort sourcePort = BinaryPrimitives.ReadUInt16BigEndian(datagram);
        var sent = new UdpDatagram(sourcePort, BackendPort) { Payload = ((UdpDatagram)whole.Content).Payload };
        Assert.Equal(sent.ToBytes(source, destination), datagram);
        if (where == Where.Local)
            Assert.Equal((whole.Source, ((UdpDatagram)whole.Content).SourcePort), (source, sent.SourcePort));
        foreach (var packet in results.Select(result => ParsedPacket.OfFrame(result.Bytes)!))
        {
            Assert.Equal(where == Where.Local ? whole.Ttl : whole.Ttl - 1, packet.Ttl);
            Assert.Empty(packet.WrongSums());
        }
    }

    private static byte[] Reassemble(PacketResult[] results, out Address source, out Address destination)
    {
        var packets = results.Select(result => ParsedPacket.OfFrame(result.Bytes)!).ToArray();
        var first = packets[0];
        (source, destination) = (first.Source, first.Destination);
        byte[] datagram = new byte[packets.Sum(packet => packet.End - packet.Transport)];
        foreach (var packet in packets)
        {
            Assert.Equal(
                (first.Source, first.Destination, first.Protocol, IdOf(first)),
                (packet.Source, packet.Destination, packet.Protocol, IdOf(packet)));
            Assert.Equal(packet != packets[^1], packet.MoreFragments);
            packet.Bytes.AsSpan(packet.Transport, packet.End - packet.Transport).CopyTo(datagram.AsSpan(packet.FragmentOffset));
        }

        return datagram;
    }
}
