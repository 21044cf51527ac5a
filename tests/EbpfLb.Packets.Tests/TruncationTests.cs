// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.Packets.Tests.Ground;
using EbpfLb.Packets.Tests.Packets;
using EbpfLb.Packets.Tests.Reference;

namespace EbpfLb.Packets.Tests;

/// <summary>Frames that end too early.</summary>
public sealed class TruncationTests(PacketGround ground) : PacketTest(ground)
{
    [PrivilegedTheory]
    [EachHook("tcp", Where.Local)]
    [EachHook("tcp", Where.Remote)]
    [EachHook("udp", Where.Local)]
    [EachHook("udp", Where.Remote)]
    [EachHook("sctp", Where.Remote)]
    [EachHook("headers", Where.Local)]
    [EachHook("headers", Where.Remote)]
    [EachHook("fragment", Where.Local)]
    [EachHook("fragment", Where.Remote)]
    [EachHook("error", Where.Remote)]
    [EachHook("echo", Where.Remote)]
    public void S38_A_packet_cut_at_any_length_is_never_sent_and_passes_only_as_it_is(
        Hook hook, AddressFamily family, string kind, Where where)
    {
        foreach (var protocol in new[] { Protocol.Tcp, Protocol.Udp, Protocol.Sctp })
            World.Put(new ServiceSpec($"web {protocol}", protocol, [Frontend(family)], Backends(family, where)));
        byte[] frame = Make(kind, hook, family).ToBytes();
        for (int length = PacketRunner.ShortestFrame(hook, frame); length < frame.Length; length++)
        {
            byte[] cut = frame[..length];
            var result = Run(hook, cut);
            Assert.False(result.IsSent, $"sent when cut to {length} of {frame.Length}");
            if (result.Fate == Fate.Pass)
                ReferenceDatapath.AssertSame(cut, result.Bytes);
        }

        Run(hook, frame);
    }

    private Packet Make(string kind, Hook hook, AddressFamily family)
    {
        var udp = FromClient(family, Content(Protocol.Udp));
        switch (kind)
        {
            case "tcp":
                return FromClient(family, Segment(TcpFlags.Syn, 10) with { Options = [2, 4, 5, 0xb4] });
            case "udp":
                return udp;
            case "sctp":
                return FromClient(family, Content(Protocol.Sctp));
            case "headers":
                return family == AddressFamily.IPv6
                    ? udp with { Extensions = [Extension.HopByHop, Extension.Destination, Extension.Routing, Extension.Authentication] }
                    : udp with { Options = [.. Enumerable.Repeat((byte)1, 40)] };
            case "fragment":
                return udp.Fragment(16, 7)[0];
            case "echo":
                return FromClient(family, IcmpMessage.Echo(family == AddressFamily.IPv6));
            default:
                var sent = Run(hook, udp);
                var packet = ParsedPacket.OfFrame(sent.Bytes)!;
                var tuple = ReferenceDatapath.AnswerTo(sent.Bytes);
                byte[] quote = sent.Bytes[packet.Network..packet.End];
                return Arriving(new Packet(tuple.Source, tuple.Destination,
                    IcmpMessage.PortUnreachable(family == AddressFamily.IPv6, quote)));
        }
    }
}
