// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.Packets.Tests.Ground;
using EbpfLb.Packets.Tests.Packets;

namespace EbpfLb.Packets.Tests;

/// <summary>IPv4 and IPv6 headers, right and wrong.</summary>
public sealed class HeaderTests(PacketGround ground) : PacketTest(ground)
{
    // The most that is looked at.
    private const int MaxExtensions = 8;

    [PrivilegedTheory]
    [EachHook(0, Only = 4)]
    [EachHook(1, Only = 4)]
    [EachHook(2, Only = 4)]
    [EachHook(3, Only = 4)]
    [EachHook(4, Only = 4)]
    public void S39_A_header_shorter_than_a_header_is_malformed(Hook hook, AddressFamily family, int words)
    {
        Serve(family, Protocol.Udp, Where.Local, Where.Remote);
        ExpectDropOrUnchanged(hook, FromClient(family, Content(Protocol.Udp)) with { HeaderLength = words }, Reason.Malformed);
    }

    [PrivilegedTheory]
    [EachHook(Only = 4)]
    public void S39_A_header_longer_than_the_frame_is_malformed(Hook hook, AddressFamily family)
    {
        Serve(family, Protocol.Udp, Where.Local, Where.Remote);
        ExpectDropOrUnchanged(hook, FromClient(family, Content(Protocol.Udp, payload: [])) with { HeaderLength = 15 }, Reason.Malformed);
    }

    [PrivilegedTheory]
    [EachHook(Where.Local, Only = 4)]
    [EachHook(Where.Remote, Only = 4)]
    public void S39_Forty_bytes_of_options_are_stepped_over(Hook hook, AddressFamily family, Where where)
    {
        Serve(family, Protocol.Udp, where);
        Judge(hook, FromClient(family, Content(Protocol.Udp)) with { Options = [.. Enumerable.Repeat((byte)1, 40)] });
    }

    [PrivilegedTheory]
    [EachHook(0)]
    [EachHook(7)]
    [EachHook(19)]
    [EachHook(27)]
    public void S39_A_length_without_room_for_the_headers_is_malformed(Hook hook, AddressFamily family, int length)
    {
        Serve(family, Protocol.Udp, Where.Local, Where.Remote);
        // IPv6 counts what follows its header.
        int stored = family == AddressFamily.IPv6 ? Math.Max(0, length - 20) : length;
        ExpectDropOrUnchanged(hook, FromClient(family, Content(Protocol.Udp)) with { Length = stored }, Reason.Malformed);
    }

    [PrivilegedTheory]
    [EachHook(1)]
    [EachHook(1000)]
    [EachHook(60000)]
    public void S39_A_length_beyond_the_frame_is_malformed(Hook hook, AddressFamily family, int more)
    {
        Serve(family, Protocol.Udp, Where.Local, Where.Remote);
        var packet = FromClient(family, Content(Protocol.Udp));
        int right = packet.ToNetworkBytes().Length - (family == AddressFamily.IPv6 ? 40 : 0);
        ExpectDropOrUnchanged(hook, packet with { Length = right + more }, Reason.Malformed);
    }

    [PrivilegedTheory]
    [EachHook("94040000", Where.Remote, Only = 4)]
    [EachHook("7b06aabbccdd0000", Where.Remote, Only = 4)]
    [EachHook("01010100", Where.Remote, Only = 4)]
    [EachHook("070b04000000000000000000", Where.Remote, Only = 4)]
    [EachHook("94040000", Where.Local, Only = 4)]
    [EachHook("070b04000000000000000000", Where.Local, Only = 4)]
    public void S41_Options_stay_and_the_ports_are_found_behind_them(Hook hook, AddressFamily family, string options, Where where)
    {
        Serve(family, Protocol.Tcp, where);
        Judge(hook, FromClient(family, Content(Protocol.Tcp)) with { Options = Convert.FromHexString(options) });
    }

    [PrivilegedTheory]
    [EachHook(Where.Local, Only = 4)]
    [EachHook(Where.Remote, Only = 4)]
    public void S47_A_wrong_header_checksum_is_never_repaired(Hook hook, AddressFamily family, Where where)
    {
        Serve(family, Protocol.Udp, where);
        byte[] frame = (FromClient(family, Content(Protocol.Udp)) with { HeaderSum = Sum.Wrong }).ToBytes();
        var result = Run(hook, frame);
        if (result.Fate == Fate.Drop)
            return;

        Assert.Contains("IPv4 header", ParsedPacket.OfFrame(result.Bytes)!.WrongSums());
        Reference.Check(hook, Ground.Up0, frame, result);
    }

    [PrivilegedTheory]
    [EachHook("hop", Where.Remote, Only = 6)]
    [EachHook("destination", Where.Remote, Only = 6)]
    [EachHook("routing", Where.Remote, Only = 6)]
    [EachHook("authentication", Where.Remote, Only = 6)]
    [EachHook("hop destination", Where.Remote, Only = 6)]
    [EachHook("hop routing authentication", Where.Remote, Only = 6)]
    [EachHook("hop destination routing authentication destination", Where.Remote, Only = 6)]
    [EachHook("hop destination routing authentication destination", Where.Local, Only = 6)]
    [EachHook("destination destination destination destination destination destination destination destination", Where.Remote, Only = 6)]
    [EachHook("destination destination destination destination destination destination destination destination", Where.Local, Only = 6)]
    public void S54_Ports_are_found_behind_extension_headers(Hook hook, AddressFamily family, string headers, Where where)
    {
        Serve(family, Protocol.Tcp, where);
        var extensions = headers.Split(' ').Select(Named).ToArray();
        Assert.True(extensions.Length <= MaxExtensions);
        Judge(hook, FromClient(family, Content(Protocol.Tcp)) with { Extensions = extensions });
        Judge(hook, FromClient(family, Segment(TcpFlags.Ack, 30)) with { Extensions = extensions });
    }

    [PrivilegedTheory]
    [EachHook(9, Only = 6)]
    [EachHook(12, Only = 6)]
    public void S54_More_extension_headers_than_are_looked_at_pass_and_are_counted(Hook hook, AddressFamily family, int count)
    {
        Serve(family, Protocol.Tcp, Where.Local, Where.Remote);
        var extensions = Enumerable.Repeat(Extension.Destination, count).ToArray();
        ExpectUnchanged(hook, FromClient(family, Content(Protocol.Tcp)) with { Extensions = extensions }, Reason.TooManyHeaders);
    }

    [PrivilegedTheory]
    [EachHook((byte)50)]
    [EachHook((byte)59)]
    [EachHook((byte)47)]
    [EachHook((byte)4)]
    [EachHook((byte)41)]
    [EachHook((byte)255)]
    public void S54_Another_protocol_is_never_translated(Hook hook, AddressFamily family, byte protocol)
    {
        Serve(family, Protocol.Tcp, Where.Local, Where.Remote);
        byte[] looksLikePorts = Content(Protocol.Tcp).ToBytes(AddressPlan.Of(family).Client(10), AddressPlan.Of(family).Vip(1));
        ExpectDropOrUnchanged(hook, FromClient(family, new RawContent(protocol, looksLikePorts)), Reason.OtherProtocol);
        var plan = AddressPlan.Of(family);
        ExpectUnchanged(hook, Arriving(new Packet(plan.Client(10), plan.Node, new RawContent(protocol, looksLikePorts))));
    }

    [PrivilegedTheory]
    [EachHook(Where.Local, (byte)0xb8)]
    [EachHook(Where.Remote, (byte)0xbb)]
    [EachHook(Where.Local, (byte)3)]
    [EachHook(Where.Remote, (byte)3)]
    public void S57_Traffic_class_and_flow_label_stay(Hook hook, AddressFamily family, Where where, byte tos)
    {
        Serve(family, Protocol.Udp, where);
        Judge(hook, FromClient(family, Content(Protocol.Udp)) with { Tos = tos, FlowLabel = 0xabcde });
    }

    [PrivilegedTheory]
    [EachHook((byte)2)]
    [EachHook((byte)64)]
    [EachHook((byte)255)]
    public void S46_The_time_to_live_is_counted_down_once_on_the_way_to_another_node(Hook hook, AddressFamily family, byte ttl)
    {
        Serve(family, Protocol.Udp, Where.Remote);
        var result = Judge(hook, FromClient(family, Content(Protocol.Udp)) with { Ttl = ttl });
        Assert.Equal(ttl - 1, ParsedPacket.OfFrame(result.Bytes)!.Ttl);
        Assert.Empty(ParsedPacket.OfFrame(result.Bytes)!.WrongSums());
    }

    [PrivilegedTheory]
    [EachHook(Protocol.Tcp, (byte)1, Where.Remote)]
    [EachHook(Protocol.Tcp, (byte)0, Where.Remote)]
    [EachHook(Protocol.Udp, (byte)1, Where.Remote)]
    [EachHook(Protocol.Udp, (byte)1, Where.Far)]
    public void S46_A_packet_at_the_end_of_its_time_is_answered_with_what_the_client_sent(
        Hook hook, AddressFamily family, Protocol protocol, byte ttl, Where where)
    {
        Serve(family, protocol, where);
        bool v6 = family == AddressFamily.IPv6;
        ExpectAnswer(hook, FromClient(family, Content(protocol)) with { Ttl = ttl }, Reason.TtlExceeded, (question, result) =>
            Reference_CheckIcmp(question, result, (byte)(v6 ? 3 : 11), 0));
    }

    [PrivilegedTheory]
    [EachHook]
    public void S46_A_flow_that_began_is_answered_too_when_its_time_ends(Hook hook, AddressFamily family)
    {
        Serve(family, Protocol.Udp, Where.Remote);
        bool v6 = family == AddressFamily.IPv6;
        // The second one puts the client's half of the flow into the map; until then each packet begins it.
        Judge(hook, FromClient(family, Content(Protocol.Udp)));
        Judge(hook, FromClient(family, Content(Protocol.Udp)));
        ExpectAnswer(hook, FromClient(family, Content(Protocol.Udp)) with { Ttl = 1 }, Reason.TtlExceeded, (question, result) =>
            Reference_CheckIcmp(question, result, (byte)(v6 ? 3 : 11), 0));
        Judge(hook, FromClient(family, Content(Protocol.Udp)));
    }

    [PrivilegedTheory]
    [EachHook]
    public void S46_The_stack_counts_down_on_the_way_to_a_local_backend(Hook hook, AddressFamily family)
    {
        Serve(family, Protocol.Udp, Where.Local);
        Judge(hook, FromClient(family, Content(Protocol.Udp)) with { Ttl = 1 });
    }

    private static void Reference_CheckIcmp(ParsedPacket question, PacketResult result, byte type, byte code) =>
        EbpfLb.Packets.Tests.Reference.Answers.CheckIcmp(question, result, type, code, 0);

    private static Extension Named(string name) => name switch
    {
        "hop" => Extension.HopByHop,
        "routing" => Extension.Routing,
        "authentication" => Extension.Authentication,
        _ => Extension.Destination,
    };
}
