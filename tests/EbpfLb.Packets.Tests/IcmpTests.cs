// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.Packets.Tests.Ground;
using EbpfLb.Packets.Tests.Packets;
using EbpfLb.Packets.Tests.Reference;
using Tuple = EbpfLb.Packets.Tests.Packets.Rewrite.Tuple;

namespace EbpfLb.Packets.Tests;

/// <summary>Errors about translated packets, from the backend, from routers on either side, and about nothing we know.</summary>
public sealed class IcmpTests(PacketGround ground) : PacketTest(ground)
{
    public enum Error
    {
        PortUnreachable,
        TooBig,
        TimeExceeded,
    }

    [PrivilegedTheory]
    [EachHook]
    public void S70_An_echo_to_a_service_address_has_one_documented_answer(Hook hook, AddressFamily family)
    {
        Serve(family, Protocol.Tcp, Where.Local, Where.Remote);
        var plan = AddressPlan.Of(family);
        ExpectDrop(hook, FromClient(family, IcmpMessage.Echo(plan.IsIPv6)), Reason.OtherProtocol);
        ExpectUnchanged(hook, Arriving(new Packet(plan.Client(10), plan.Node, IcmpMessage.Echo(plan.IsIPv6))));
    }

    // Who announces the address answers it: the kernel where it has the address, else a process.
    [PrivilegedTheory]
    [EachHook((byte)135, Only = 6)]
    [EachHook((byte)136, Only = 6)]
    public void What_neighbours_ask_of_a_service_address_passes(Hook hook, AddressFamily family, byte type)
    {
        Serve(family, Protocol.Tcp, Where.Remote);
        var plan = AddressPlan.Of(family);
        byte[] target = new byte[16];
        plan.Vip(1).CopyTo(target);
        ExpectUnchanged(hook, FromClient(family, new IcmpMessage(true, type, 0, 0, target)) with { Ttl = 255 });
    }

    [PrivilegedTheory]
    [EachHook(Protocol.Udp, Error.PortUnreachable, Where.Remote)]
    [EachHook(Protocol.Udp, Error.PortUnreachable, Where.Far)]
    [EachHook(Protocol.Tcp, Error.PortUnreachable, Where.Remote)]
    [EachHook(Protocol.Tcp, Error.TooBig, Where.Remote)]
    [EachHook(Protocol.Tcp, Error.TooBig, Where.Far)]
    [EachHook(Protocol.Udp, Error.TimeExceeded, Where.Remote)]
    public void S71_S72_S74_An_error_about_a_packet_to_a_remote_backend_reaches_the_client(
        Hook hook, AddressFamily family, Protocol protocol, Error kind, Where where)
    {
        Serve(family, protocol, where);
        var question = FromClient(family, Content(protocol, flags: TcpFlags.Syn));
        byte[] quote = NetworkBytes(Judge(hook, question));
        var tuple = ReferenceDatapath.AnswerTo(Judge(hook, question).Bytes);
        var error = ErrorFrom(tuple.Source, tuple.Destination, Make(kind, family, quote));
        ExpectTranslated(hook, error, tuple.Source, Rewrite.TupleOf(ParsedPacket.OfFrame(question.ToBytes())!));
    }

    [PrivilegedTheory]
    [EachHook(Error.TooBig, Where.Remote)]
    [EachHook(Error.TooBig, Where.Far)]
    [EachHook(Error.TimeExceeded, Where.Remote)]
    public void S72_S74_An_error_of_a_router_before_a_remote_backend_reaches_the_client(
        Hook hook, AddressFamily family, Error kind, Where where)
    {
        Serve(family, Protocol.Tcp, where);
        var question = FromClient(family, Segment(TcpFlags.Syn));
        var sent = Judge(hook, question);
        var tuple = ReferenceDatapath.AnswerTo(sent.Bytes);
        var error = ErrorFrom(tuple.Source, tuple.Destination, Make(kind, family, NetworkBytes(sent)));
        var router = PodAt(family, where, 200);
        ExpectTranslated(hook, error with { Source = router }, tuple.Source, Rewrite.TupleOf(ParsedPacket.OfFrame(question.ToBytes())!));
    }

    [PrivilegedTheory]
    [EachHook(Error.TooBig)]
    [EachHook(Error.PortUnreachable)]
    public void S71_S74_An_error_of_a_local_backend_leaves_as_one_of_the_service(Hook hook, AddressFamily family, Error kind)
    {
        Serve(family, Protocol.Udp, Where.Local);
        var question = FromClient(family, Content(Protocol.Udp));
        var sent = Judge(hook, question);
        var plan = AddressPlan.Of(family);
        var error = new Packet(plan.LocalPod(11), plan.Client(10), Make(kind, family, NetworkBytes(sent))).Via(
            Ground.Router, Ground.Up0.Mac);
        byte[] frame = error.ToBytes();
        var result = Run(Hook.TcEgress, frame);
        var wanted = Rewrite.TupleOf(ParsedPacket.OfFrame(question.ToBytes())!);
        Assert.Equal(Fate.Pass, result.Fate);
        ReferenceDatapath.AssertSame(Rewrite.ApplyToError(ParsedPacket.OfFrame(frame)!, plan.Vip(1), plan.Client(10), wanted),
            result.Bytes);
        Assert.Empty(ParsedPacket.OfFrame(result.Bytes)!.WrongSums());
    }

    [PrivilegedTheory]
    [EachHook(Error.TooBig, Where.Local)]
    [EachHook(Error.TooBig, Where.Remote)]
    [EachHook(Error.TooBig, Where.Far)]
    [EachHook(Error.TimeExceeded, Where.Remote)]
    [EachHook(Error.PortUnreachable, Where.Local)]
    public void S73_S74_An_error_about_an_answer_reaches_the_backend_that_gave_it(Hook hook, AddressFamily family, Error kind, Where where)
    {
        Serve(family, Protocol.Tcp, where, where, where);
        var sent = Judge(hook, FromClient(family, Segment(TcpFlags.Syn)));
        var (answer, _, _) = AnswerTo(hook, sent, Segment(TcpFlags.Syn | TcpFlags.Ack, 20));
        var seen = JudgeAnswer(hook, sent, Segment(TcpFlags.Syn | TcpFlags.Ack, 20));
        var plan = AddressPlan.Of(family);
        var router = plan.Client(200);
        var error = Arriving(new Packet(router, plan.Vip(1), Make(kind, family, NetworkBytes(seen))));
        byte[] frame = error.ToBytes();
        var before = World.Count(hook, Reason.IcmpTranslated);
        var result = Run(hook, frame);
        Assert.Equal(before + 1, World.Count(hook, Reason.IcmpTranslated));

        var quote = Rewrite.TupleOf(ParsedPacket.OfFrame(answer.ToBytes())!);
        var translated = ParsedPacket.OfFrame(result.Bytes)!;
        Assert.Empty(translated.WrongSums());
        Assert.Equal(quote, Rewrite.TupleOf(translated.Quote!));
        Assert.Equal(quote.Source, translated.Destination);
        if (where == Where.Local)
        {
            Assert.Equal(Fate.Pass, result.Fate);
            ReferenceDatapath.AssertSame(Rewrite.ApplyToError(ParsedPacket.OfFrame(frame)!, translated.Source, quote.Source, quote),
                result.Bytes);
            Assert.Contains(translated.Source, new[] { router, plan.Client(10) });
            return;
        }

        var (egress, neighbour) = Ground.RouteTo(quote.Source)!.Value;
        Assert.True(result.IsSent);
        Assert.Equal(egress.SourceOf(plan.IsIPv6), translated.Source);
        ReferenceDatapath.AssertSame(
            Rewrite.ApplyToError(ParsedPacket.OfFrame(frame)!, translated.Source, quote.Source, quote, 1, (neighbour, egress.Mac)),
            result.Bytes);
    }

    [PrivilegedTheory]
    [EachHook(8)]
    [EachHook(12)]
    [EachHook(17)]
    [EachHook(20)]
    public void S75_A_quote_of_eight_bytes_is_translated_and_nothing_behind_it(Hook hook, AddressFamily family, int length)
    {
        Serve(family, Protocol.Tcp, Where.Remote);
        var question = FromClient(family, Segment(TcpFlags.Syn));
        var sent = Judge(hook, question);
        int header = family == AddressFamily.IPv6 ? 40 : 20;
        byte[] quote = NetworkBytes(sent)[..(header + length)];
        var tuple = ReferenceDatapath.AnswerTo(sent.Bytes);
        var error = ErrorFrom(tuple.Source, tuple.Destination, Make(Error.TooBig, family, quote)) with { Trailer = Bytes(30) };
        ExpectTranslated(hook, error, tuple.Source, Rewrite.TupleOf(ParsedPacket.OfFrame(question.ToBytes())!));
    }

    // Documented: what is quoted behind these headers is not looked for.
    [PrivilegedTheory]
    [EachHook(Only = 6)]
    public void S75_A_quoted_packet_with_extension_headers_is_left_alone(Hook hook, AddressFamily family)
    {
        Serve(family, Protocol.Udp, Where.Remote);
        var sent = Judge(hook, FromClient(family, Content(Protocol.Udp)) with { Extensions = [Extension.HopByHop, Extension.Destination] });
        var tuple = ReferenceDatapath.AnswerTo(sent.Bytes);
        ExpectUnchanged(hook, ErrorFrom(tuple.Source, tuple.Destination, Make(Error.PortUnreachable, family, NetworkBytes(sent))));
    }

    [PrivilegedTheory]
    [EachHook]
    public void S75_A_quoted_first_fragment_or_packet_with_options_is_translated(Hook hook, AddressFamily family)
    {
        Serve(family, Protocol.Udp, Where.Remote);
        var question = FromClient(family, Content(Protocol.Udp));
        question = family == AddressFamily.IPv6
            ? question with { Extensions = [Extension.Fragment(0, more: false, 5)] }
            : question with { Options = [148, 4, 0, 0, 1, 1, 1, 1] };
        var sent = Judge(hook, question);
        var tuple = ReferenceDatapath.AnswerTo(sent.Bytes);
        var error = ErrorFrom(tuple.Source, tuple.Destination, Make(Error.PortUnreachable, family, NetworkBytes(sent)));
        ExpectTranslated(hook, error, tuple.Source, Rewrite.TupleOf(ParsedPacket.OfFrame(question.ToBytes())!));
    }

    [PrivilegedTheory]
    [EachHook]
    public void S75_A_quote_of_a_later_fragment_passes_untouched(Hook hook, AddressFamily family)
    {
        Serve(family, Protocol.Udp, Where.Remote);
        var sent = Judge(hook, FromClient(family, Content(Protocol.Udp)));
        var tuple = ReferenceDatapath.AnswerTo(sent.Bytes);
        var quoted = Packet.Udp(tuple.Destination, tuple.DestinationPort, tuple.Source, tuple.SourcePort, Bytes(100)).Piece(
            Bytes(64), 1480, false, 7);
        ExpectUnchanged(hook, ErrorFrom(tuple.Source, tuple.Destination, Make(Error.TimeExceeded, family, quoted.ToNetworkBytes())));
    }

    [PrivilegedTheory]
    [EachHook(0)]
    [EachHook(3)]
    [EachHook(11)]
    [EachHook(19)]
    [EachHook(23)]
    public void S75_A_quote_without_room_for_ports_is_never_translated(Hook hook, AddressFamily family, int length)
    {
        Serve(family, Protocol.Udp, Where.Remote);
        var sent = Judge(hook, FromClient(family, Content(Protocol.Udp)));
        var tuple = ReferenceDatapath.AnswerTo(sent.Bytes);
        ExpectDropOrUnchanged(
            hook, ErrorFrom(tuple.Source, tuple.Destination, Make(Error.PortUnreachable, family, NetworkBytes(sent)[..length])),
            Reason.Malformed);
    }

    [PrivilegedTheory]
    [EachHook(Error.PortUnreachable)]
    [EachHook(Error.TooBig)]
    [EachHook(Error.TimeExceeded)]
    public void S76_An_error_about_nothing_we_know_reaches_no_backend(Hook hook, AddressFamily family, Error kind)
    {
        Serve(family, Protocol.Udp, Where.Local, Where.Remote);
        var plan = AddressPlan.Of(family);
        byte[] answer = Packet.Udp(plan.Vip(1), ServicePort, plan.Client(10), ClientPort).ToNetworkBytes();
        ExpectDropOrUnchanged(
            hook, FromClient(family, Make(kind, family, answer)), Reason.OtherProtocol, Reason.NoFlow, Reason.Malformed);
        byte[] question = Packet.Udp(plan.Node, 50001, plan.RemotePod(11), BackendPort).ToNetworkBytes();
        ExpectUnchanged(hook, ErrorFrom(plan.RemotePod(11), plan.Node, Make(kind, family, question)));
    }

    // The quote is a translated packet; who sends the error must not be able to aim it at somebody else.
    [PrivilegedTheory]
    [EachHook]
    public void S76_An_error_is_not_translated_when_it_is_for_another_than_who_sent_what_it_quotes(Hook hook, AddressFamily family)
    {
        Serve(family, Protocol.Udp, Where.Remote);
        var sent = Judge(hook, FromClient(family, Content(Protocol.Udp)));
        var tuple = ReferenceDatapath.AnswerTo(sent.Bytes);
        var plan = AddressPlan.Of(family);
        ExpectUnchanged(hook, ErrorFrom(tuple.Source, plan.QuietNode, Make(Error.PortUnreachable, family, NetworkBytes(sent))));
    }

    private static IcmpMessage Make(Error kind, AddressFamily family, byte[] quote)
    {
        bool v6 = family == AddressFamily.IPv6;
        return kind switch
        {
            Error.PortUnreachable => IcmpMessage.PortUnreachable(v6, quote),
            Error.TooBig => IcmpMessage.TooBig(v6, 1300, quote),
            _ => IcmpMessage.TimeExceeded(v6, quote),
        };
    }

    private static byte[] NetworkBytes(PacketResult result)
    {
        var packet = ParsedPacket.OfFrame(result.Bytes)!;
        return result.Bytes[packet.Network..packet.End];
    }

    private Packet ErrorFrom(Address source, Address destination, IcmpMessage message)
    {
        var (device, neighbour) = Ground.RouteTo(source)!.Value;
        return new Packet(source, destination, message).Via(device.Mac, neighbour);
    }

    /// <summary>Towards the client of <paramref name="wanted"/>; from the service if the backend said it, else from whoever did,
    /// or the service.</summary>
    private void ExpectTranslated(Hook hook, Packet error, Address backend, Tuple wanted)
    {
        byte[] frame = error.ToBytes();
        var device = Ground.RouteTo(backend)!.Value.Device;
        ulong before = World.Count(hook, Reason.IcmpTranslated);
        var result = Run(hook, frame, device);
        Assert.True(result.IsSent, $"{result.Fate}");
        Assert.Equal(before + 1, World.Count(hook, Reason.IcmpTranslated));
        var translated = ParsedPacket.OfFrame(result.Bytes)!;
        if (error.Source == backend)
            Assert.Equal(wanted.Destination, translated.Source);
        else
            Assert.Contains(translated.Source, new[] { wanted.Destination, error.Source });
        var expected = Rewrite.ApplyToError(
            ParsedPacket.OfFrame(frame)!, translated.Source, wanted.Source, wanted, 1, (Ground.Router, Ground.Up0.Mac));
        ReferenceDatapath.AssertSame(expected, result.Bytes);
        Assert.Empty(translated.WrongSums());
    }
}
