// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers.Binary;
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.Packets.Tests.Ground;
using EbpfLb.Packets.Tests.Packets;

namespace EbpfLb.Packets.Tests;

/// <summary>Checksums of what IP carries: kept right, and kept wrong.</summary>
public sealed class ChecksumTests(PacketGround ground) : PacketTest(ground)
{
    [PrivilegedTheory]
    [EachHook(Protocol.Tcp, Where.Local)]
    [EachHook(Protocol.Tcp, Where.Remote)]
    [EachHook(Protocol.Udp, Where.Local)]
    [EachHook(Protocol.Udp, Where.Remote)]
    [EachHook(Protocol.Sctp, Where.Local)]
    [EachHook(Protocol.Sctp, Where.Remote)]
    public void S48_A_wrong_checksum_stays_as_wrong_as_it_was(Hook hook, AddressFamily family, Protocol protocol, Where where)
    {
        Serve(family, protocol, where);
        var packet = FromClient(family, Content(protocol) with { Sum = Sum.Wrong });
        var result = Judge(hook, packet);
        Assert.Contains($"protocol {(byte)protocol}", ParsedPacket.OfFrame(result.Bytes)!.WrongSums());
    }

    [PrivilegedTheory]
    [EachHook(Where.Local, Only = 4)]
    [EachHook(Where.Remote, Only = 4)]
    [EachHook(Where.Far, Only = 4)]
    public void S49_No_checksum_stays_none(Hook hook, AddressFamily family, Where where)
    {
        Serve(family, Protocol.Udp, where);
        var result = Judge(hook, FromClient(family, Content(Protocol.Udp) with { Sum = Sum.Zero }));
        var sent = ParsedPacket.OfFrame(result.Bytes)!;
        Assert.Equal(0, BinaryPrimitives.ReadUInt16BigEndian(sent.Bytes.AsSpan(sent.SumAt)));
    }

    // The payload is chosen so that the packet as it goes on sums up to nothing.
    [PrivilegedTheory]
    [EachHook(Where.Local)]
    [EachHook(Where.Remote)]
    public void S49_A_checksum_that_comes_out_as_zero_is_sent_as_ones(Hook hook, AddressFamily family, Where where)
    {
        Serve(family, Protocol.Udp, where);
        byte[] payload = [0, 0, 1, 2];
        var sent = ParsedPacket.OfFrame(Judge(hook, FromClient(family, Content(Protocol.Udp, payload: payload))).Bytes)!;
        ushort sum = BinaryPrimitives.ReadUInt16BigEndian(sent.Bytes.AsSpan(sent.SumAt));
        BinaryPrimitives.WriteUInt16BigEndian(payload, sum);
        sent = ParsedPacket.OfFrame(Judge(hook, FromClient(family, Content(Protocol.Udp, payload: payload))).Bytes)!;
        Assert.Equal(0xffff, BinaryPrimitives.ReadUInt16BigEndian(sent.Bytes.AsSpan(sent.SumAt)));
    }

    [PrivilegedTheory]
    [EachHook(Where.Local, Only = 6)]
    [EachHook(Where.Remote, Only = 6)]
    public void S50_IPv6_without_a_checksum_is_not_given_one(Hook hook, AddressFamily family, Where where)
    {
        Serve(family, Protocol.Udp, where);
        ExpectDropOrUnchanged(hook, FromClient(family, Content(Protocol.Udp) with { Sum = Sum.Zero }), Reason.Malformed);
    }

    [PrivilegedTheory]
    [InlineData(AddressFamily.IPv4, Protocol.Tcp, Where.Local)]
    [InlineData(AddressFamily.IPv4, Protocol.Udp, Where.Remote)]
    [InlineData(AddressFamily.IPv6, Protocol.Tcp, Where.Remote)]
    [InlineData(AddressFamily.IPv6, Protocol.Udp, Where.Local)]
    public void S51_A_checksum_that_the_device_would_finish_is_left_to_tc(AddressFamily family, Protocol protocol, Where where)
    {
        Serve(family, protocol, where);
        ExpectUnchanged(Hook.Xdp, FromClient(family, Content(protocol) with { Sum = Sum.Partial }), Reason.HandedDown);
        Judge(Hook.Xdp, FromClient(family, Content(protocol)));
        ExpectUnchanged(Hook.Xdp, FromClient(family, Content(protocol) with { Sum = Sum.Partial }), Reason.HandedDown);
    }

    [PrivilegedTheory]
    [EachHook(Where.Local)]
    [EachHook(Where.Remote)]
    public void S48_Every_length_of_an_SCTP_packet_gets_its_right_checksum(Hook hook, AddressFamily family, Where where)
    {
        Serve(family, Protocol.Sctp, where);
        for (int length = 0; length < 1300; length += length < 64 ? 4 : 100)
        {
            var result = Judge(hook, FromClient(family, new SctpPacket(ClientPort, ServicePort) { Payload = Bytes(length) }));
            Assert.Empty(ParsedPacket.OfFrame(result.Bytes)!.WrongSums());
        }
    }
}
