// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;
using EbpfLb.Packets.Tests.Ground;
using EbpfLb.Packets.Tests.Packets;

namespace EbpfLb.Packets.Tests;

/// <summary>The tools themselves, against numbers from elsewhere.</summary>
public sealed class BuilderTests
{
    private static readonly AddressPlan V4 = AddressPlan.IPv4;
    private static readonly AddressPlan V6 = AddressPlan.IPv6;

    [Fact]
    public void Crc32c_has_its_check_value() => Assert.Equal(0xe3069283u, Checksums.Crc32C("123456789"u8));

    [Fact]
    public void A_sum_is_that_of_RFC_1071() =>
        Assert.Equal(0xddf2, Checksums.Sum([0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]));

    [Fact]
    public void A_header_that_others_have_summed_is_built_alike()
    {
        byte[] expected = Convert.FromHexString("45000073000040004011b861c0a80001c0a800c7");
        var content = new RawContent(Layer4.Udp, new byte[95]);
        var packet = new Packet(Address.Parse("192.168.0.1"), Address.Parse("192.168.0.199"), content) { Id = 0 };
        Assert.Equal(expected, packet.ToNetworkBytes()[..20]);
    }

    [Theory]
    [InlineData(AddressFamily.IPv4)]
    [InlineData(AddressFamily.IPv6)]
    public void What_is_built_is_parsed_and_every_sum_holds(AddressFamily family)
    {
        var plan = AddressPlan.Of(family);
        foreach (var packet in Samples(plan))
        {
            var parsed = ParsedPacket.OfFrame(packet.ToBytes());
            Assert.NotNull(parsed);
            Assert.Empty(parsed.WrongSums());
            Assert.Equal((packet.Source, packet.Destination, packet.Ttl), (parsed.Source, parsed.Destination, parsed.Ttl));
            if (packet.Content is TcpSegment tcp)
                Assert.Equal(
                    (tcp.SourcePort, tcp.DestinationPort, tcp.Flags), (parsed.SourcePort, parsed.DestinationPort, parsed.TcpFlags));
        }
    }

    [Theory]
    [InlineData(AddressFamily.IPv4)]
    [InlineData(AddressFamily.IPv6)]
    public void A_changed_byte_breaks_a_sum(AddressFamily family)
    {
        foreach (var packet in Samples(AddressPlan.Of(family)))
        {
            byte[] frame = packet.ToBytes();
            frame[^1] ^= 0x10;
            Assert.NotEmpty(ParsedPacket.OfFrame(frame)!.WrongSums());
        }
    }

    [Theory]
    [InlineData(AddressFamily.IPv4)]
    [InlineData(AddressFamily.IPv6)]
    public void A_rewritten_packet_is_the_one_that_would_have_been_built(AddressFamily family)
    {
        var plan = AddressPlan.Of(family);
        var to = new Rewrite.Tuple(plan.Node, 50123, plan.RemotePod(21), 8080);
        foreach (var packet in Samples(plan).Where(sample => sample.Content is TcpSegment or UdpDatagram or SctpPacket))
        {
            Layer4 content = packet.Content switch
            {
                TcpSegment tcp => tcp with { SourcePort = to.SourcePort, DestinationPort = to.DestinationPort },
                UdpDatagram udp => udp with { SourcePort = to.SourcePort, DestinationPort = to.DestinationPort },
                SctpPacket sctp => sctp with { SourcePort = to.SourcePort, DestinationPort = to.DestinationPort },
                _ => packet.Content,
            };
            byte ttl = (byte)(packet.Ttl - 1);
            var expected = packet with { Source = to.Source, Destination = to.Destination, Content = content, Ttl = ttl };
            byte[] actual = Rewrite.Apply(ParsedPacket.OfFrame(packet.ToBytes())!, to, ttlLess: 1);
            Reference.ReferenceDatapath.AssertSame(expected.ToBytes(), actual);
        }
    }

    [Fact]
    public void A_rewritten_error_is_the_one_that_would_have_been_built()
    {
        foreach (var plan in new[] { V4, V6 })
        {
            byte[] quoted = Packet.Udp(plan.Node, 50123, plan.RemotePod(21), 8080).ToNetworkBytes();
            byte[] wanted = Packet.Udp(plan.Client(10), 40001, plan.Vip(1), 80).ToNetworkBytes();
            var error = new Packet(plan.RemotePod(21), plan.Node, IcmpMessage.PortUnreachable(plan.IsIPv6, quoted));
            var expected = new Packet(plan.Vip(1), plan.Client(10), IcmpMessage.PortUnreachable(plan.IsIPv6, wanted));
            var tuple = new Rewrite.Tuple(plan.Client(10), 40001, plan.Vip(1), 80);
            byte[] actual = Rewrite.ApplyToError(ParsedPacket.OfFrame(error.ToBytes())!, plan.Vip(1), plan.Client(10), tuple);
            Reference.ReferenceDatapath.AssertSame(expected.ToBytes(), actual);
        }
    }

    private static IEnumerable<Packet> Samples(AddressPlan plan)
    {
        bool v6 = plan.IsIPv6;
        var (from, to) = (plan.Client(10), plan.Vip(1));
        yield return Packet.Tcp(from, 40001, to, 80, TcpFlags.Syn);
        yield return Packet.Tcp(from, 40001, to, 80, TcpFlags.Psh | TcpFlags.Ack, [1, 2, 3]);
        yield return Packet.Udp(from, 40001, to, 53);
        yield return Packet.Sctp(from, 40001, to, 80);
        yield return new Packet(from, to, IcmpMessage.Echo(v6));
        yield return new Packet(to, from, IcmpMessage.PortUnreachable(v6, Packet.Udp(from, 40001, to, 80).ToNetworkBytes()));
        if (v6)
        {
            yield return Packet.Udp(from, 1, to, 2) with { Extensions = [Extension.HopByHop, Extension.Routing, Extension.Authentication] };
            var atomic = Extension.Fragment(0, false, 9);
            yield return Packet.Tcp(from, 1, to, 2, TcpFlags.Syn) with { Extensions = [Extension.Destination, atomic] };
        }
        else
        {
            yield return Packet.Udp(from, 1, to, 2) with { Options = [148, 4, 0, 0] };
        }
    }
}
