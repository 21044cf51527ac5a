// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.Packets.Tests.Ground;
using EbpfLb.Packets.Tests.Packets;

namespace EbpfLb.Packets.Tests;

/// <summary>What surrounds the IP packet.</summary>
public sealed class FrameTests(PacketGround ground) : PacketTest(ground)
{
    private static readonly (ushort Type, ushort Control) Tag = (0x8100, 100);
    private static readonly (ushort Type, ushort Control) ServiceTag = (0x88a8, 7);

    [PrivilegedTheory]
    [EachHook((ushort)0x0806, Only = 4)]
    [EachHook((ushort)0x88b5, Only = 4)]
    [EachHook((ushort)0x88cc, Only = 4)]
    [EachHook((ushort)0x8137, Only = 4)]
    [EachHook((ushort)0x0040, Only = 4)]
    [EachHook((ushort)0x8847, Only = 4)]
    public void S37_A_frame_of_another_protocol_passes_untouched(Hook hook, AddressFamily family, ushort etherType)
    {
        Serve(family, Protocol.Udp, Where.Remote);
        ExpectUnchanged(hook, FromClient(family, Content(Protocol.Udp)) with { EtherType = etherType });
    }

    [PrivilegedTheory]
    [EachHook]
    public void S37_A_packet_whose_version_is_not_that_of_its_ethertype_is_not_translated(Hook hook, AddressFamily family)
    {
        Serve(family, Protocol.Udp, Where.Remote);
        ushort other = family == AddressFamily.IPv6 ? Packet.IPv4EtherType : Packet.IPv6EtherType;
        ExpectDropOrUnchanged(hook, FromClient(family, Content(Protocol.Udp, payload: Bytes(40))) with { EtherType = other },
            Reason.Malformed);
    }

    [PrivilegedTheory]
    [EachHook(Where.Local)]
    [EachHook(Where.Remote)]
    public void S40_Padding_of_a_short_frame_stays_and_is_not_summed(Hook hook, AddressFamily family, Where where)
    {
        Serve(family, Protocol.Udp, where);
        var packet = FromClient(family, Content(Protocol.Udp, payload: [1, 2]));
        var padded = packet with { Trailer = [.. Enumerable.Repeat((byte)0xa5, 60)] };
        var result = Judge(hook, padded);
        Assert.Equal(padded.ToBytes().Length, result.Bytes.Length);
        Assert.Equal(padded.Trailer, result.Bytes[^60..]);
        Assert.Empty(ParsedPacket.OfFrame(result.Bytes)!.WrongSums());
    }

    [PrivilegedTheory]
    [EachHook(Protocol.Tcp)]
    [EachHook(Protocol.Udp)]
    public void S56_A_frame_with_a_tag_passes_untouched(Hook hook, AddressFamily family, Protocol protocol)
    {
        Serve(family, protocol, Where.Local, Where.Remote);
        ExpectUnchanged(hook, FromClient(family, Content(protocol)) with { Tags = [Tag] });
        ExpectUnchanged(hook, FromClient(family, Content(protocol)) with { Tags = [ServiceTag, Tag] });
    }

    [PrivilegedTheory]
    [EachHook("ff:ff:ff:ff:ff:ff")]
    [EachHook("01:00:5e:00:00:01")]
    [EachHook("33:33:00:00:00:01")]
    public void S62_A_service_address_inside_of_a_frame_for_many_is_not_served(Hook hook, AddressFamily family, string mac)
    {
        Serve(family, Protocol.Udp, Where.Remote);
        var packet = FromClient(family, Content(Protocol.Udp)) with { DestinationMac = PacketGround.Mac(mac) };
        if (hook == Hook.Xdp)
            ExpectDrop(hook, packet, Reason.NotForUs);
        else
            ExpectDropOrUnchanged(hook, packet, Reason.NotForUs);
    }

    [PrivilegedTheory]
    [EachHook]
    public void S62_A_frame_for_many_without_a_service_address_passes(Hook hook, AddressFamily family)
    {
        Serve(family, Protocol.Udp, Where.Remote);
        var plan = AddressPlan.Of(family);
        ExpectUnchanged(hook, Packet.Udp(plan.Client(1), 5353, plan.Unreachable, 5353).Via(
            PacketGround.Mac("ff:ff:ff:ff:ff:ff"), Ground.Router));
    }

    [PrivilegedTheory]
    [EachHook(Where.Local)]
    [EachHook(Where.Remote)]
    public void S62_A_frame_for_another_station_passes_untouched(Hook hook, AddressFamily family, Where where)
    {
        Serve(family, Protocol.Udp, where);
        ExpectUnchanged(hook, FromClient(family, Content(Protocol.Udp)) with { DestinationMac = PacketGround.Mac("02:00:00:00:99:99") });
    }

    [PrivilegedTheory]
    [EachHook(Where.Local)]
    [EachHook(Where.Remote)]
    public void S62_A_flow_that_began_does_not_take_frames_of_another_station(Hook hook, AddressFamily family, Where where)
    {
        Serve(family, Protocol.Udp, where);
        Judge(hook, FromClient(family, Content(Protocol.Udp)));
        ExpectUnchanged(hook, FromClient(family, Content(Protocol.Udp)) with { DestinationMac = PacketGround.Mac("02:00:00:00:99:99") });
    }

    [PrivilegedTheory]
    [EachHook(Protocol.Tcp)]
    [EachHook(Protocol.Udp)]
    public void S62_A_frame_for_another_station_is_not_refused(Hook hook, AddressFamily family, Protocol protocol)
    {
        Serve(family, protocol == Protocol.Tcp ? Protocol.Udp : Protocol.Tcp, Where.Remote);
        ExpectUnchanged(hook, FromClient(family, Content(protocol)) with { DestinationMac = PacketGround.Mac("02:00:00:00:99:99") });
    }

    [PrivilegedTheory]
    [EachHook(3000)]
    [EachHook(3400)]
    public void S53_A_large_packet_to_a_local_backend_is_translated(Hook hook, AddressFamily family, int size)
    {
        Serve(family, Protocol.Tcp, Where.Local);
        Judge(hook, FromClient(family, Segment(TcpFlags.Syn)));
        Judge(hook, FromClient(family, Segment(TcpFlags.Ack, size)));
    }

    [PrivilegedTheory]
    [InlineData(AddressFamily.IPv4, 5000)]
    [InlineData(AddressFamily.IPv4, 9000)]
    [InlineData(AddressFamily.IPv4, 60000)]
    [InlineData(AddressFamily.IPv6, 5000)]
    [InlineData(AddressFamily.IPv6, 9000)]
    [InlineData(AddressFamily.IPv6, 60000)]
    public void S53_A_frame_in_several_pages_is_translated_or_left_alone(AddressFamily family, int size)
    {
        Serve(family, Protocol.Tcp, Where.Local);
        Judge(Hook.Xdp, FromClient(family, Segment(TcpFlags.Syn)));
        byte[] frame = FromClient(family, Segment(TcpFlags.Ack, size)).ToBytes();
        var result = Run(Hook.Xdp, frame);
        if (result.Fate == Fate.Pass && result.Bytes.AsSpan().SequenceEqual(frame))
            return;

        Reference.Check(Hook.Xdp, Ground.Up0, frame, result);
    }

    [PrivilegedTheory]
    [InlineData(AddressFamily.IPv4)]
    [InlineData(AddressFamily.IPv6)]
    public void S53_Headers_behind_the_first_page_do_no_harm(AddressFamily family)
    {
        Serve(family, Protocol.Udp, Where.Local, Where.Remote);
        var packet = FromClient(family, Content(Protocol.Udp, payload: Bytes(4000)));
        if (family == AddressFamily.IPv6)
        {
            var huge = new Extension(Extension.DestinationType, Bytes(2046));
            packet = packet with { Extensions = [huge, huge] };
        }

        Run(Hook.Xdp, packet);
    }
}
