// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.Packets.Tests.Ground;
using EbpfLb.Packets.Tests.Packets;
using EbpfLb.Packets.Tests.Reference;

namespace EbpfLb.Packets.Tests;

/// <summary>What the node says itself, and when it must keep silent.</summary>
public sealed class AnswerTests(PacketGround ground) : PacketTest(ground)
{
    [PrivilegedTheory]
    [EachHook(Protocol.Udp, 0)]
    [EachHook(Protocol.Udp, 1)]
    [EachHook(Protocol.Udp, 500)]
    [EachHook(Protocol.Udp, 520)]
    [EachHook(Protocol.Udp, 1200)]
    [EachHook(Protocol.Udp, 1400)]
    [EachHook(Protocol.Sctp, 800)]
    public void S77_An_answer_quotes_what_it_has_room_for(Hook hook, AddressFamily family, Protocol protocol, int payload)
    {
        World.Put(new ServiceSpec("web", protocol, [Frontend(family)], []) { Flags = ServiceFlags.None });
        Layer4 content = protocol == Protocol.Udp
            ? new UdpDatagram(ClientPort, ServicePort) { Payload = Bytes(payload) }
            : new SctpPacket(ClientPort, ServicePort) { Payload = Bytes(payload) };
        ExpectAnswer(hook, FromClient(family, content), Reason.RefusedNoEndpoint, Answers.CheckRefusal);
    }

    [PrivilegedTheory]
    [EachHook]
    public void S77_An_answer_to_a_packet_with_options_or_extension_headers_is_right(Hook hook, AddressFamily family)
    {
        World.Put(new ServiceSpec("udp", Protocol.Udp, [Frontend(family)], []) { Flags = ServiceFlags.None });
        World.Put(new ServiceSpec("tcp", Protocol.Tcp, [Frontend(family)], []) { Flags = ServiceFlags.None });
        foreach (var protocol in new[] { Protocol.Udp, Protocol.Tcp })
        {
            var packet = FromClient(family, Content(protocol));
            packet = family == AddressFamily.IPv6
                ? packet with { Extensions = [Extension.HopByHop, Extension.Destination] }
                : packet with { Options = [148, 4, 0, 0, 1, 1, 1, 1] };
            ExpectAnswer(hook, packet, Reason.RefusedNoEndpoint, Answers.CheckRefusal);
        }
    }

    [PrivilegedTheory]
    [EachHook]
    public void S77_Padding_of_the_frame_is_not_quoted(Hook hook, AddressFamily family)
    {
        World.Put(new ServiceSpec("udp", Protocol.Udp, [Frontend(family)], []) { Flags = ServiceFlags.None });
        var packet = FromClient(family, Content(Protocol.Udp, payload: [1])) with { Trailer = Bytes(40) };
        ExpectAnswer(hook, packet, Reason.RefusedNoEndpoint, Answers.CheckRefusal);
    }

    [PrivilegedTheory]
    [EachHook(Protocol.Tcp)]
    [EachHook(Protocol.Udp)]
    public void S77_A_packet_too_big_for_the_way_is_answered_with_the_size_that_fits(Hook hook, AddressFamily family, Protocol protocol)
    {
        Serve(family, protocol, Where.Far);
        bool v6 = family == AddressFamily.IPv6;
        Judge(hook, FromClient(family, Content(protocol)));
        Layer4 content = protocol == Protocol.Tcp
            ? Segment(TcpFlags.Ack, 1430)
            : new UdpDatagram(ClientPort, ServicePort) { Payload = Bytes(1430) };
        ExpectAnswer(hook, FromClient(family, content), Reason.TooBig, (question, result) =>
            Answers.CheckIcmp(question, result, (byte)(v6 ? 2 : 3), (byte)(v6 ? 0 : 4), PacketGround.FarMtu));
    }

    [PrivilegedTheory]
    [EachHook(0)]
    [EachHook(1)]
    [EachHook(5)]
    [EachHook(90)]
    public void S77_The_size_that_just_fits_goes_through_and_one_more_does_not(Hook hook, AddressFamily family, int more)
    {
        Serve(family, Protocol.Udp, Where.Far);
        bool v6 = family == AddressFamily.IPv6;
        int payload = PacketGround.FarMtu - (v6 ? 48 : 28) + more;
        var packet = FromClient(family, new UdpDatagram(ClientPort, ServicePort) { Payload = Bytes(payload) });
        Judge(hook, FromClient(family, Content(Protocol.Udp)));
        if (more == 0)
            Judge(hook, packet);
        else
            ExpectAnswer(hook, packet, Reason.TooBig, (question, result) =>
                Answers.CheckIcmp(question, result, (byte)(v6 ? 2 : 3), (byte)(v6 ? 0 : 4), PacketGround.FarMtu));
    }

    // Whether or not its flow has begun then.
    [PrivilegedTheory]
    [EachHook(1)]
    [EachHook(90)]
    public void S77_A_first_packet_too_big_for_the_way_is_answered_too(Hook hook, AddressFamily family, int more)
    {
        Serve(family, Protocol.Udp, Where.Far);
        bool v6 = family == AddressFamily.IPv6;
        int payload = PacketGround.FarMtu - (v6 ? 48 : 28) + more;
        byte[] frame = FromClient(family, new UdpDatagram(ClientPort, ServicePort) { Payload = Bytes(payload) }).ToBytes();
        var result = Run(hook, frame);
        if (hook == Hook.Xdp)
        {
            Assert.Equal(Fate.Pass, result.Fate);
            ReferenceDatapath.AssertSame(frame, result.Bytes);
            return;
        }

        Answers.CheckIcmp(ParsedPacket.OfFrame(frame)!, result, (byte)(v6 ? 2 : 3), (byte)(v6 ? 0 : 4), PacketGround.FarMtu);
    }

    [PrivilegedTheory]
    [EachHook(Only = 4)]
    public void S77_A_big_packet_that_may_be_cut_is_never_answered(Hook hook, AddressFamily family)
    {
        Serve(family, Protocol.Udp, Where.Far);
        var packet = FromClient(family, new UdpDatagram(ClientPort, ServicePort) { Payload = Bytes(1430) }) with { DontFragment = false };
        Judge(hook, FromClient(family, Content(Protocol.Udp)));
        var result = Run(hook, packet);
        var output = ParsedPacket.OfFrame(result.Bytes);
        Assert.NotEqual(Layer4.Icmp4, output?.Protocol);
    }

    [PrivilegedTheory]
    [EachHook]
    public void S77_An_ICMP_error_is_never_answered(Hook hook, AddressFamily family)
    {
        Serve(family, Protocol.Udp, Where.Remote);
        var plan = AddressPlan.Of(family);
        byte[] quote = Packet.Udp(plan.Vip(1), 81, plan.Client(10), ClientPort).ToNetworkBytes();
        var result = Run(hook, FromClient(family, IcmpMessage.PortUnreachable(plan.IsIPv6, quote)));
        Assert.False(result.IsSent);
    }

    [PrivilegedTheory]
    [EachHook]
    public void S77_A_later_fragment_is_never_answered(Hook hook, AddressFamily family)
    {
        World.Put(new ServiceSpec("udp", Protocol.Udp, [Frontend(family)], []) { Flags = ServiceFlags.None });
        foreach (var piece in FromClient(family, Content(Protocol.Udp, payload: Bytes(3000))).Fragment(1232, 5)[1..])
            Assert.False(Run(hook, piece).IsSent);
    }

    [PrivilegedTheory]
    [InlineData(AddressFamily.IPv4, "ff:ff:ff:ff:ff:ff")]
    [InlineData(AddressFamily.IPv4, "01:00:5e:00:00:01")]
    [InlineData(AddressFamily.IPv6, "33:33:00:00:00:01")]
    public void S77_A_frame_for_many_is_never_answered(AddressFamily family, string mac)
    {
        World.Put(new ServiceSpec("udp", Protocol.Udp, [Frontend(family)], []) { Flags = ServiceFlags.None });
        var packet = FromClient(family, Content(Protocol.Udp)) with { DestinationMac = PacketGround.Mac(mac) };
        Assert.False(Run(Hook.TcIngress, packet).IsSent);
    }

    [PrivilegedTheory]
    [EachHook("224.0.0.5", Only = 4)]
    [EachHook("255.255.255.255", Only = 4)]
    [EachHook("0.0.0.0", Only = 4)]
    [EachHook("127.0.0.1", Only = 4)]
    [EachHook("ff02::1", Only = 6)]
    [EachHook("::", Only = 6)]
    public void S77_A_source_that_cannot_be_one_is_never_answered(Hook hook, AddressFamily family, string source)
    {
        World.Put(new ServiceSpec("udp", Protocol.Udp, [Frontend(family)], []) { Flags = ServiceFlags.None });
        ExpectDrop(hook, FromClient(family, Content(Protocol.Udp)) with { Source = Address.Parse(source) }, Reason.Martian);
    }

    // How many, depends on how long it takes: at ten a second, a thousand do not fit.
    [PrivilegedTheory]
    [InlineData(AddressFamily.IPv4, Protocol.Tcp)]
    [InlineData(AddressFamily.IPv4, Protocol.Udp)]
    [InlineData(AddressFamily.IPv6, Protocol.Tcp)]
    [InlineData(AddressFamily.IPv6, Protocol.Udp)]
    public async Task S77_Answers_are_few_however_many_packets_ask_for_them(AddressFamily family, Protocol protocol)
    {
        World.Put(new ServiceSpec("web", protocol, [Frontend(family)], []) { Flags = ServiceFlags.None });
        var generous = World.Settings;
        World.Settings = generous with { RepliesPerSecond = 10 };
        var packet = FromClient(family, Content(protocol));
        await Eventually.True(() => Run(Hook.TcIngress, packet).IsSent, "an answer");

        var before = World.AllCounts(Hook.TcIngress);
        var results = Enumerable.Range(0, 1000).Select(
            i => Run(Hook.TcIngress, FromClient(family, Content(protocol, (ushort)(1000 + i))))).ToArray();
        int answered = results.Count(result => result.IsSent);
        Assert.InRange(answered, 0, 300);
        Assert.All(results, result => Assert.True(result.IsSent || result.Fate == Fate.Drop));
        var after = World.AllCounts(Hook.TcIngress);
        Assert.Equal((ulong)answered, after[(int)Reason.RefusedNoEndpoint] - before[(int)Reason.RefusedNoEndpoint]);
        Assert.Equal((ulong)(1000 - answered), after[(int)Reason.ReplyLimit] - before[(int)Reason.ReplyLimit]);

        World.Settings = generous;
        await Eventually.True(() => Run(Hook.TcIngress, packet).IsSent, "answers again");
    }

    [PrivilegedTheory]
    [InlineData(AddressFamily.IPv4)]
    [InlineData(AddressFamily.IPv6)]
    public async Task S77_What_XDP_has_no_answer_left_for_ends_there(AddressFamily family)
    {
        World.Put(new ServiceSpec("web", Protocol.Udp, [Frontend(family)], []) { Flags = ServiceFlags.None });
        var generous = World.Settings;
        World.Settings = generous with { RepliesPerSecond = 10 };
        var packet = FromClient(family, Content(Protocol.Udp));
        ulong before = World.Count(Hook.Xdp, Reason.ReplyLimit);
        var fates = Enumerable.Range(0, 1000).Select(_ => Run(Hook.Xdp, packet).Fate).ToArray();
        int passed = fates.Count(fate => fate == Fate.Pass);
        Assert.InRange(passed, 0, 300);
        Assert.Equal(1000 - passed, fates.Count(fate => fate == Fate.Drop));
        Assert.Equal((ulong)(1000 - passed), World.Count(Hook.Xdp, Reason.ReplyLimit) - before);

        World.Settings = generous;
        await Eventually.True(() => Run(Hook.Xdp, packet).Fate == Fate.Pass, "handed down again");
    }
}
