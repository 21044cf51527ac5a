// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Devices;
using EbpfLb.Linux.Netlink;
using static EbpfLb.Datapath.Tests.Pictures;

namespace EbpfLb.Datapath.Tests;

public sealed class NetworkPictureTests
{
    private const ushort Reachable = 0x02;
    private const ushort Stale = 0x04;
    private const ushort Failed = 0x20;

    private const PictureEffects Moved = PictureEffects.Devices | PictureEffects.Routes | PictureEffects.DefaultRoutes;

    private readonly NetworkPicture _picture = Of(
        Loopback, Link(2, "eth0"), Address(2, "10.0.0.1/24"), Default(2), Neighbor(2, "10.0.0.254", 0xaa));

    [Fact]
    public void What_is_known_already_asks_for_nothing()
    {
        Assert.Equal(PictureEffects.None, Take(Link(2, "eth0")));
        Assert.Equal(PictureEffects.None, Take(Address(2, "10.0.0.1/24")));
        Assert.Equal(PictureEffects.None, Take(Neighbor(2, "10.0.0.254", 0xaa)));
        Assert.Equal(PictureEffects.None, _picture.ReplaceRoutes([Default(2)]));
        Assert.Equal(PictureEffects.None, Gone(Link(7, "eth7")));
        Assert.Equal(PictureEffects.None, Gone(Address(2, "10.0.0.7/24")));
    }

    [Fact]
    public void A_neighbour_that_is_only_heard_of_again_moves_no_flow()
    {
        Assert.Equal(PictureEffects.None, Take(Neighbor(2, "10.0.0.254", 0xaa, Stale)));
        Assert.Equal(PictureEffects.None, Take(Neighbor(2, "10.0.0.254", 0xaa, Reachable)));
        Assert.Equal(PictureEffects.None, Take(Neighbor(2, "10.0.0.7", 0xbb)));
    }

    [Fact]
    public void A_neighbour_that_moves_fails_or_goes_moves_flows_once()
    {
        Assert.Equal(PictureEffects.Routes, Take(Neighbor(2, "10.0.0.254", 0xbb)));
        Assert.Equal(PictureEffects.Routes, Take(Neighbor(2, "10.0.0.254", 0, Failed)));
        Assert.Equal(PictureEffects.None, Take(Neighbor(2, "10.0.0.254", 0, Failed)));
        Assert.Equal(PictureEffects.None, Gone(Neighbor(2, "10.0.0.254", 0, Failed)));
        Take(Neighbor(2, "10.0.0.254", 0xcc));
        Assert.Equal(PictureEffects.Routes, Gone(Neighbor(2, "10.0.0.254", 0xcc)));
    }

    [Fact]
    public void A_new_device_moves_nothing_and_one_that_changes_or_goes_does()
    {
        Assert.Equal(PictureEffects.Devices, Take(Link(3, "eth1")));
        Assert.Equal(PictureEffects.Devices, Take(Link(3, "eth9")));
        Assert.Equal(PictureEffects.Devices, Take(Link(3, "eth9") with { XdpProgramId = 5 }));
        Assert.Equal(Moved, Take(Link(3, "eth9", up: false)));
        Assert.Equal(Moved, Take(Link(3, "eth9", up: false, mtu: 9000)));
        Assert.Equal(Moved, Take(Link(3, "eth9", up: false, mtu: 9000, mac: 0x02ff)));
        Assert.Equal(Moved, Gone(Link(3, "eth9")));
        Assert.Equal(Moved, Gone(Link(2, "eth0")));
        Assert.Empty(_picture.Addresses);
    }

    [Fact]
    public void Addresses_keep_their_order_and_change_in_place()
    {
        Assert.Equal(PictureEffects.Devices | PictureEffects.Routes, Take(Address(2, "10.0.0.2/24")));
        Assert.Equal(PictureEffects.Devices | PictureEffects.Routes, Take(Address(2, "10.0.0.1/24", flags: 0x20)));
        Assert.Equal(["10.0.0.1", "10.0.0.2"], _picture.Addresses.Select(address => address.Address.ToString()));
        Assert.Equal(Moved, Gone(Address(2, "10.0.0.1/24")));
        Assert.Equal(["10.0.0.2"], _picture.Addresses.Select(address => address.Address.ToString()));
    }

    [Fact]
    public void Every_route_moves_flows_and_only_default_ones_are_read_again()
    {
        var route = Default(2) with { PrefixLength = 24, Destination = System.Net.IPAddress.Parse("10.9.0.0") };
        Assert.Equal(PictureEffects.Routes, _picture.Take(new(NetworkChangeKind.RouteChanged, Route: route)));
        Assert.Equal(
            PictureEffects.Routes | PictureEffects.DefaultRoutes, _picture.Take(new(NetworkChangeKind.RouteChanged, Route: Default(2))));
        Assert.Equal(PictureEffects.Routes | PictureEffects.DefaultRoutes, _picture.Take(new(NetworkChangeKind.RouteChanged)));
    }

    [Fact]
    public void Default_routes_come_best_first_and_only_those_that_lead_somewhere()
    {
        Assert.Equal(
            PictureEffects.Devices | PictureEffects.Routes,
            _picture.ReplaceRoutes(
            [
                Default(3, priority: 9), Default(2, priority: 1), Default(0), Default(4, type: 7), Default(5, table: 255),
                Default(6) with { PrefixLength = 1 },
            ]));
        Assert.Equal([2, 3], _picture.DefaultRoutes.Select(route => route.OutputIndex));
    }

    [Fact]
    public void Lost_events_ask_for_everything() =>
        Assert.Equal(PictureEffects.Lost | PictureEffects.Routes, _picture.Take(new(NetworkChangeKind.Overrun)));

    [Fact]
    public void A_reading_of_what_is_known_asks_for_nothing_and_one_of_something_else_does()
    {
        PictureEffects Read(params object[] things) => _picture.Replace(
            [.. things.OfType<NetworkLink>()], [.. things.OfType<NetworkAddress>()], [.. things.OfType<NetworkRoute>()],
            [.. things.OfType<NetworkNeighbor>()]);

        object[] same = [Loopback, Link(2, "eth0"), Address(2, "10.0.0.1/24"), Default(2), Neighbor(2, "10.0.0.254", 0xaa, Stale)];
        Assert.Equal(PictureEffects.None, Read(same));
        Assert.Equal(PictureEffects.Routes, Read(same[..^1]));
        Assert.Equal(PictureEffects.Devices | PictureEffects.Routes, Read(same[..^2]));
        Assert.Equal(Moved, Read(Loopback));
    }

    private PictureEffects Take(NetworkLink link) => _picture.Take(new(NetworkChangeKind.LinkChanged, Link: link));

    private PictureEffects Take(NetworkAddress address) => _picture.Take(new(NetworkChangeKind.AddressChanged, Address: address));

    private PictureEffects Take(NetworkNeighbor neighbor) => _picture.Take(new(NetworkChangeKind.NeighborChanged, Neighbor: neighbor));

    private PictureEffects Gone(NetworkLink link) => _picture.Take(new(NetworkChangeKind.LinkRemoved, Link: link));

    private PictureEffects Gone(NetworkAddress address) => _picture.Take(new(NetworkChangeKind.AddressRemoved, Address: address));

    private PictureEffects Gone(NetworkNeighbor neighbor) => _picture.Take(new(NetworkChangeKind.NeighborRemoved, Neighbor: neighbor));
}
