// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers.Binary;
using System.Net;
using EbpfLb.Linux.Bpf;
using EbpfLb.Linux.Netlink;
using static EbpfLb.Linux.Tests.Netlink.MessageBuilder;

namespace EbpfLb.Linux.Tests.Netlink;

public sealed class ParserTests
{
    private const byte Inet = 2;
    private const byte Inet6 = 10;
    private const byte Bridge = 7;

    private static readonly byte[] LinkPayload = Link(
        0, 7, 1,
        Attribute(1, 2, 0, 0, 0, 0, 9),
        Attribute(3, "eth0\0"u8),
        Number(4, 1500),
        Number(5, 3),
        Number(10, 4),
        Nested(18, Attribute(1, "veth\0"u8)),
        Nested(43, Attribute(2, 4), Number(5, 55), Number(7, 77)));

    private static readonly byte[] AddressPayload =
        Address(Inet, 24, 7, Attribute(1, 10, 0, 0, 2), Attribute(2, 10, 0, 0, 1), Number(8, 0x280));

    private static readonly byte[] RoutePayload = Route(
        Inet, 24, 0,
        Attribute(1, 10, 1, 0, 0),
        Number(15, 1000),
        Number(6, 5),
        Attribute(9, Join(
            NextHop(7, Attribute(5, 10, 0, 0, 2)),
            NextHop(8),
            NextHop(9, Attribute(18, [Inet6, 0, .. IPAddress.Parse("fe80::1").GetAddressBytes()])))));

    private static readonly byte[] NeighborPayload =
        Neighbor(Inet6, 7, 2, Attribute(1, IPAddress.Parse("fe80::7").GetAddressBytes()), Attribute(2, 2, 0, 0, 0, 0, 7));

    [Fact]
    public void A_link_is_read() => Assert.Equal(
        new(7, "eth0", 1, true, 1500, new(0x020000000009), "veth", 4, 3, 55, XdpMode.Native | XdpMode.Offloaded),
        RouteMessages.ParseLink(LinkPayload));

    [Fact]
    public void An_address_is_read() => Assert.Equal(
        new(7, IPAddress.Parse("10.0.0.1"), 24, 0, 0x280), RouteMessages.ParseAddress(AddressPayload));

    [Fact]
    public void A_multipath_route_is_read_as_its_next_hops()
    {
        NetworkRoute route = new(false, IPAddress.Parse("10.1.0.0"), 24, IPAddress.Parse("10.0.0.2"), 7, 1000, 5, 1);
        Assert.Equal(
            [
                route,
                route with { OutputIndex = 8, Gateway = null },
                route with { OutputIndex = 9, Gateway = IPAddress.Parse("fe80::1") },
            ],
            Routes(RoutePayload));
    }

    [Fact]
    public void A_neighbor_is_read() => Assert.Equal(
        new(7, IPAddress.Parse("fe80::7"), new(0x020000000007), 2), RouteMessages.ParseNeighbor(NeighborPayload));

    [Fact]
    public void What_is_of_other_families_or_partial_is_passed_over()
    {
        Assert.Null(RouteMessages.ParseLink(Link(Bridge, 7, 1, Attribute(3, "eth0\0"u8))));
        Assert.Null(RouteMessages.ParseLink(Link(0, 7, 1, Attribute(11, 1, 2, 3, 4))));
        Assert.Null(RouteMessages.ParseAddress(Address(Bridge, 24, 7, Attribute(1, 10, 0, 0, 2))));
        Assert.Empty(Routes(Route(128, 24, 254, Attribute(1, 10, 0, 0, 2))));
        Assert.Null(RouteMessages.ParseNeighbor(Neighbor(Bridge, 7, 2, Attribute(2, 2, 0, 0, 0, 0, 7))));
    }

    [Fact]
    public void A_hardware_address_of_another_length_is_none()
    {
        NetworkLink link = RouteMessages.ParseLink(Link(0, 7, 1, Attribute(3, "ib0\0"u8), Attribute(1, new byte[20])))!;
        Assert.True(link.MacAddress.IsNone);
    }

    [Fact]
    public void A_hardware_address_is_written_as_it_was_read()
    {
        byte[] bytes = [0xfe, 1, 2, 3, 4, 0x0a];
        HardwareAddress address = HardwareAddress.FromBytes(bytes);
        byte[] written = new byte[HardwareAddress.Length];
        address.CopyTo(written);

        Assert.Equal(bytes, written);
        Assert.Equal("fe:01:02:03:04:0a", address.ToString());
    }

    [Fact]
    public void An_error_is_read_with_its_text()
    {
        byte[] payload = Join([.. BitConverter.GetBytes(-19)], new byte[NetlinkMessage.HeaderSize], Attribute(1, "no such thing\0"u8));
        ReadOnlySpan<byte> datagram = Message(NetlinkMessage.NLMSG_ERROR, 0x300, payload);

        Assert.True(NetlinkMessage.TryTake(ref datagram, out NetlinkMessage message));
        Assert.Equal(Errno.ENODEV, message.ReadErrno());
        Assert.Equal("no such thing", message.ReadErrorText());
        Assert.False(NetlinkMessage.TryTake(ref datagram, out _));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(15)]
    [InlineData(25)]
    [InlineData(uint.MaxValue)]
    public void A_message_whose_length_does_not_fit_is_malformed(uint length)
    {
        byte[] message = Message(RouteMessages.RTM_NEWLINK, 0, new byte[8]);
        BinaryPrimitives.WriteUInt32LittleEndian(message, length);

        AssertMalformed(() => Take(message));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(9)]
    [InlineData(ushort.MaxValue)]
    public void An_attribute_whose_length_does_not_fit_is_malformed(ushort length)
    {
        byte[] payload = Link(0, 7, 1, Number(4, 1500));
        BinaryPrimitives.WriteUInt16LittleEndian(payload.AsSpan(RouteMessages.LinkHeaderSize), length);

        AssertMalformed(() => RouteMessages.ParseLink(payload));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(9)]
    public void A_next_hop_whose_length_does_not_fit_is_malformed(ushort length)
    {
        byte[] hop = NextHop(7);
        BinaryPrimitives.WriteUInt16LittleEndian(hop, length);

        AssertMalformed(() => Routes(Route(Inet, 24, 254, Attribute(9, hop))));
    }

    [Fact]
    public void An_address_of_no_known_length_is_malformed()
    {
        AssertMalformed(() => RouteMessages.ParseAddress(Address(Inet, 24, 7, Attribute(1, 10, 0, 0))));
        AssertMalformed(() => Routes(Route(Inet, 24, 254, Attribute(18, Inet))));
    }

    [Fact]
    public void A_number_that_is_too_short_is_malformed()
        => AssertMalformed(() => RouteMessages.ParseLink(Link(0, 7, 1, Attribute(4, 1, 2))));

    [Fact]
    public void A_cut_off_message_is_read_or_malformed_and_never_read_beyond()
    {
        foreach (byte[] datagram in Datagrams())
        {
            for (int length = 0; length < datagram.Length; length++)
            {
                // The length as it was, and the length of what is left.
                Survive(datagram[..length]);
                byte[] cut = datagram[..length];
                if (length >= NetlinkMessage.HeaderSize)
                    BinaryPrimitives.WriteInt32LittleEndian(cut, length);
                Survive(cut);
            }
        }
    }

    [Fact]
    public void A_garbled_message_is_read_or_malformed_and_never_read_beyond()
    {
        Random random = new(20240229);
        byte[][] datagrams = Datagrams();
        int malformed = 0;
        const int Count = 100_000;
        for (int i = 0; i < Count; i++)
        {
            byte[] datagram = [.. datagrams[random.Next(datagrams.Length)]];
            for (int changes = random.Next(1, 5); changes > 0; changes--)
                datagram[random.Next(datagram.Length)] = (byte)random.Next(256);
            malformed += Survive(datagram) ? 0 : 1;
        }

        // Both ways were taken.
        Assert.InRange(malformed, 1, Count - 1);
    }

    private static byte[][] Datagrams() =>
    [
        Message(RouteMessages.RTM_NEWLINK, 0, LinkPayload),
        Message(RouteMessages.RTM_NEWADDR, 0, AddressPayload),
        Message(RouteMessages.RTM_NEWROUTE, 0, RoutePayload),
        Message(RouteMessages.RTM_NEWNEIGH, 0, NeighborPayload),
        Message(NetlinkMessage.NLMSG_ERROR, 0x200, Join(new byte[20], Attribute(1, "text\0"u8))),
        Join(
            Message(RouteMessages.RTM_NEWADDR, 2, AddressPayload),
            Message(NetlinkMessage.NLMSG_DONE, 0x202, Join(new byte[4], Attribute(1, "text\0"u8)))),
    ];

    /// <summary>True when it was read; any exception but EBADMSG fails the test.</summary>
    private static bool Survive(byte[] datagram)
    {
        try
        {
            Take(datagram);
            return true;
        }
        catch (LinuxException exception) when (exception.Errno == Errno.EBADMSG)
        {
            return false;
        }
    }

    private static void Take(ReadOnlySpan<byte> datagram)
    {
        while (NetlinkMessage.TryTake(ref datagram, out NetlinkMessage message))
        {
            switch (message.Type)
            {
                case RouteMessages.RTM_NEWLINK:
                    RouteMessages.ParseLink(message.Payload);
                    break;
                case RouteMessages.RTM_NEWADDR:
                    RouteMessages.ParseAddress(message.Payload);
                    break;
                case RouteMessages.RTM_NEWROUTE:
                    RouteMessages.ParseRoute(message.Payload, []);
                    break;
                case RouteMessages.RTM_NEWNEIGH:
                    RouteMessages.ParseNeighbor(message.Payload);
                    break;
                case NetlinkMessage.NLMSG_ERROR or NetlinkMessage.NLMSG_DONE:
                    message.ReadErrno();
                    message.ReadErrorText();
                    break;
            }
        }
    }

    private static List<NetworkRoute> Routes(byte[] payload)
    {
        List<NetworkRoute> routes = [];
        RouteMessages.ParseRoute(payload, routes);
        return routes;
    }

    private static void AssertMalformed(Action action)
        => Assert.Equal(Errno.EBADMSG, Assert.Throws<LinuxException>(action).Errno);
}
