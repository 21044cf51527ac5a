// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers.Binary;
using EbpfLb.Packets.Tests.Ground;
using EbpfLb.Packets.Tests.Packets;

namespace EbpfLb.Packets.Tests.Reference;

/// <summary>What the node says itself, held against the packet it answers.</summary>
internal static class Answers
{
    /// <summary>A reset for TCP (RFC 9293, 3.10.7.1), port unreachable for the others.</summary>
    public static void CheckRefusal(ParsedPacket question, PacketResult result)
    {
        if (question.Protocol == Layer4.Tcp)
            CheckReset(question, result);
        else if (question.IsIPv6)
            CheckIcmp(question, result, type: 1, code: 4, rest: 0);
        else
            CheckIcmp(question, result, type: 3, code: 3, rest: 0);
    }

    public static void CheckReset(ParsedPacket question, PacketResult result)
    {
        var answer = CheckEnvelope(question, result);
        Assert.Equal(Layer4.Tcp, answer.Protocol);
        Assert.Equal(question.Destination, answer.Source);
        Assert.Equal((question.DestinationPort, question.SourcePort), (answer.SourcePort, answer.DestinationPort));
        uint sequence = Word(question, 4), acknowledged = Word(question, 8);
        var flags = question.TcpFlags;
        if (flags.HasFlag(TcpFlags.Ack))
        {
            Assert.Equal(TcpFlags.Rst, answer.TcpFlags);
            Assert.Equal(acknowledged, Word(answer, 4));
            return;
        }

        int header = (question.Bytes[question.Transport + 12] >> 4) * 4;
        uint length = (uint)(question.End - question.Transport - header)
            + (flags.HasFlag(TcpFlags.Syn) ? 1u : 0) + (flags.HasFlag(TcpFlags.Fin) ? 1u : 0);
        Assert.Equal(TcpFlags.Rst | TcpFlags.Ack, answer.TcpFlags);
        Assert.Equal(0u, Word(answer, 4));
        Assert.Equal(sequence + length, Word(answer, 8));
    }

    /// <summary>RFC 1812, 4.3.2 and RFC 4443: quotes the packet as it came, at least its header and 8 bytes,
    /// and within the limits.</summary>
    public static void CheckIcmp(ParsedPacket question, PacketResult result, byte type, byte code, uint rest)
    {
        var answer = CheckEnvelope(question, result);
        Assert.Equal(question.IsIPv6 ? Layer4.Icmp6 : Layer4.Icmp4, answer.Protocol);
        Assert.Equal((type, code), (answer.Bytes[answer.Transport], answer.Bytes[answer.Transport + 1]));
        Assert.Equal(rest, Word(answer, 4));
        AddressPlan plan = question.IsIPv6 ? AddressPlan.IPv6 : AddressPlan.IPv4;
        Assert.True(answer.Source == question.Destination || answer.Source == plan.Node || answer.Source == plan.SecondNode,
            $"from {answer.Source}");
        Assert.True(answer.NetworkLength <= (question.IsIPv6 ? 1280 : 576), $"{answer.NetworkLength} bytes");
        int quoted = answer.End - answer.Transport - 8;
        Assert.True(quoted >= Math.Min(question.Transport - question.Network + 8, question.NetworkLength), $"quotes {quoted} bytes");
        Assert.True(quoted <= question.NetworkLength);
        ReferenceDatapath.AssertSame(
            question.Bytes[question.Network..(question.Network + quoted)], answer.Bytes[(answer.Transport + 8)..answer.End]);
    }

    private static ParsedPacket CheckEnvelope(ParsedPacket question, PacketResult result)
    {
        Assert.Equal(Fate.Redirect, result.Fate);
        byte[] asked = question.Bytes, bytes = result.Bytes;
        Assert.Equal(asked[6..12], bytes[..6]);
        Assert.Equal(asked[..6], bytes[6..12]);
        var answer = ParsedPacket.OfFrame(bytes);
        Assert.True(answer is not null, $"no packet: {Convert.ToHexString(bytes)}");
        Assert.Empty(answer.WrongSums().Except(question.WrongSums().Select(wrong => $"quoted {wrong}")));
        Assert.Equal(question.Source, answer.Destination);
        Assert.InRange(answer.Ttl, 32, 255);
        Assert.False(answer.IsFragment);
        Assert.Equal(bytes.Length, answer.End);
        return answer;
    }

    private static uint Word(ParsedPacket packet, int at) =>
        BinaryPrimitives.ReadUInt32BigEndian(packet.Bytes.AsSpan(packet.Transport + at));
}
