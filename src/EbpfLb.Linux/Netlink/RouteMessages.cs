// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers.Binary;
using System.Net;
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Linux.Netlink;

/// <summary>Payloads of NETLINK_ROUTE. What is of other families, or partial, is null and not ours to know.</summary>
internal static class RouteMessages
{
    public const ushort RTM_NEWLINK = 16;
    public const ushort RTM_DELLINK = 17;
    public const ushort RTM_GETLINK = 18;
    public const ushort RTM_NEWADDR = 20;
    public const ushort RTM_DELADDR = 21;
    public const ushort RTM_GETADDR = 22;
    public const ushort RTM_NEWROUTE = 24;
    public const ushort RTM_DELROUTE = 25;
    public const ushort RTM_GETROUTE = 26;
    public const ushort RTM_NEWNEIGH = 28;
    public const ushort RTM_DELNEIGH = 29;
    public const ushort RTM_GETNEIGH = 30;
    public const ushort RTM_NEWRULE = 32;
    public const ushort RTM_DELRULE = 33;
    public const ushort RTM_NEWNEXTHOP = 104;
    public const ushort RTM_DELNEXTHOP = 105;

    // struct ifinfomsg, ifaddrmsg, rtmsg, ndmsg.
    public const int LinkHeaderSize = 16;
    public const int AddressHeaderSize = 8;
    public const int RouteHeaderSize = 12;
    public const int NeighborHeaderSize = 12;

    public const int IFLA_EXT_MASK = 29;
    private const int IFLA_ADDRESS = 1;
    private const int IFLA_IFNAME = 3;
    private const int IFLA_MTU = 4;
    private const int IFLA_LINK = 5;
    private const int IFLA_MASTER = 10;
    private const int IFLA_LINKINFO = 18;
    private const int IFLA_XDP = 43;
    private const int IFLA_INFO_KIND = 1;
    private const int IFLA_XDP_PROG_ID = 4;
    private const int IFLA_XDP_DRV_PROG_ID = 5;
    private const int IFLA_XDP_SKB_PROG_ID = 6;
    private const int IFLA_XDP_HW_PROG_ID = 7;
    private const uint IFF_UP = 1;

    private const int IFA_ADDRESS = 1;
    private const int IFA_LOCAL = 2;
    private const int IFA_FLAGS = 8;

    private const int RTA_DST = 1;
    private const int RTA_OIF = 4;
    private const int RTA_GATEWAY = 5;
    private const int RTA_PRIORITY = 6;
    private const int RTA_MULTIPATH = 9;
    private const int RTA_TABLE = 15;
    private const int RTA_VIA = 18;

    private const int NDA_DST = 1;
    private const int NDA_LLADDR = 2;

    private const byte AF_UNSPEC = 0;
    private const byte AF_INET = 2;
    private const byte AF_INET6 = 10;

    // struct rtnexthop: length, flags, hops, ifindex.
    private const int NextHopHeaderSize = 8;

    public static NetworkLink? ParseLink(ReadOnlySpan<byte> payload)
    {
        // A bridge announces its ports with its own family: such a removal is one from the bridge.
        CheckHeader(payload, LinkHeaderSize);
        if (payload[0] != AF_UNSPEC)
            return null;
        ushort hardwareType = BinaryPrimitives.ReadUInt16LittleEndian(payload[2..]);
        int index = BinaryPrimitives.ReadInt32LittleEndian(payload[4..]);
        bool isUp = (BinaryPrimitives.ReadUInt32LittleEndian(payload[8..]) & IFF_UP) != 0;
        string? name = null;
        string kind = "";
        uint mtu = 0;
        int master = 0;
        int parent = 0;
        HardwareAddress mac = HardwareAddress.None;
        (uint Id, XdpMode Mode) xdp = default;
        NetlinkAttributes attributes = new(payload[LinkHeaderSize..]);
        while (attributes.Next())
        {
            switch (attributes.Type)
            {
                case IFLA_ADDRESS:
                    mac = HardwareAddress.FromBytes(attributes.Value);
                    break;
                case IFLA_IFNAME:
                    name = attributes.ReadText();
                    break;
                case IFLA_MTU:
                    mtu = attributes.ReadUInt32();
                    break;
                case IFLA_LINK:
                    parent = attributes.ReadInt32();
                    break;
                case IFLA_MASTER:
                    master = attributes.ReadInt32();
                    break;
                case IFLA_LINKINFO:
                    kind = ParseKind(attributes.Value);
                    break;
                case IFLA_XDP:
                    xdp = ParseXdp(attributes.Value);
                    break;
            }
        }

        // Wireless devices announce their own affairs in messages without a name.
        return name is null ? null : new(index, name, hardwareType, isUp, mtu, mac, kind, master, parent, xdp.Id, xdp.Mode);
    }

    public static NetworkAddress? ParseAddress(ReadOnlySpan<byte> payload)
    {
        CheckHeader(payload, AddressHeaderSize);
        if (payload[0] is not (AF_INET or AF_INET6))
            return null;
        uint flags = payload[2];
        IPAddress? address = null;
        IPAddress? local = null;
        NetlinkAttributes attributes = new(payload[AddressHeaderSize..]);
        while (attributes.Next())
        {
            switch (attributes.Type)
            {
                case IFA_ADDRESS:
                    address = attributes.ReadAddress();
                    break;
                case IFA_LOCAL:
                    local = attributes.ReadAddress();
                    break;
                case IFA_FLAGS:
                    flags = attributes.ReadUInt32();
                    break;
            }
        }

        // Of a point-to-point address IFA_ADDRESS is the peer's.
        return (local ?? address) is { } found
            ? new(BinaryPrimitives.ReadInt32LittleEndian(payload[4..]), found, payload[1], payload[3], flags)
            : null;
    }

    public static void ParseRoute(ReadOnlySpan<byte> payload, List<NetworkRoute> into)
    {
        CheckHeader(payload, RouteHeaderSize);
        if (payload[0] is not (AF_INET or AF_INET6))
            return;
        NetworkRoute route = new(payload[0] == AF_INET6, null, payload[1], null, 0, payload[4], 0, payload[7]);
        ReadOnlySpan<byte> hops = default;
        NetlinkAttributes attributes = new(payload[RouteHeaderSize..]);
        while (attributes.Next())
        {
            switch (attributes.Type)
            {
                case RTA_DST:
                    route = route with { Destination = attributes.ReadAddress() };
                    break;
                case RTA_OIF:
                    route = route with { OutputIndex = attributes.ReadInt32() };
                    break;
                case RTA_GATEWAY:
                    route = route with { Gateway = attributes.ReadAddress() };
                    break;
                case RTA_VIA:
                    route = route with { Gateway = attributes.ReadVia() };
                    break;
                case RTA_PRIORITY:
                    route = route with { Priority = attributes.ReadUInt32() };
                    break;
                case RTA_TABLE:
                    route = route with { Table = attributes.ReadUInt32() };
                    break;
                case RTA_MULTIPATH:
                    hops = attributes.Value;
                    break;
            }
        }

        if (hops.IsEmpty)
            into.Add(route);
        else
            ParseNextHops(hops, route, into);
    }

    public static NetworkNeighbor? ParseNeighbor(ReadOnlySpan<byte> payload)
    {
        // Entries of bridges' forwarding tables come as neighbors too, of their own family.
        CheckHeader(payload, NeighborHeaderSize);
        if (payload[0] is not (AF_INET or AF_INET6))
            return null;
        IPAddress? address = null;
        HardwareAddress mac = HardwareAddress.None;
        NetlinkAttributes attributes = new(payload[NeighborHeaderSize..]);
        while (attributes.Next())
        {
            switch (attributes.Type)
            {
                case NDA_DST:
                    address = attributes.ReadAddress();
                    break;
                case NDA_LLADDR:
                    mac = HardwareAddress.FromBytes(attributes.Value);
                    break;
            }
        }

        return address is null
            ? null
            : new(
                BinaryPrimitives.ReadInt32LittleEndian(payload[4..]),
                address,
                mac,
                BinaryPrimitives.ReadUInt16LittleEndian(payload[8..]));
    }

    private static void ParseNextHops(ReadOnlySpan<byte> hops, NetworkRoute route, List<NetworkRoute> into)
    {
        while (hops.Length >= NextHopHeaderSize)
        {
            int length = BinaryPrimitives.ReadUInt16LittleEndian(hops);
            if (length < NextHopHeaderSize || length > hops.Length)
                NetlinkMessage.ThrowMalformed($"a next hop of {length} bytes in {hops.Length}");
            NetworkRoute hop = route with { OutputIndex = BinaryPrimitives.ReadInt32LittleEndian(hops[4..]), Gateway = null };
            NetlinkAttributes attributes = new(hops[NextHopHeaderSize..length]);
            while (attributes.Next())
            {
                if (attributes.Type == RTA_GATEWAY)
                    hop = hop with { Gateway = attributes.ReadAddress() };
                else if (attributes.Type == RTA_VIA)
                    hop = hop with { Gateway = attributes.ReadVia() };
            }

            into.Add(hop);
            hops = hops[Math.Min(NetlinkMessage.Align(length), hops.Length)..];
        }
    }

    private static string ParseKind(ReadOnlySpan<byte> info)
    {
        NetlinkAttributes attributes = new(info);
        while (attributes.Next())
        {
            if (attributes.Type == IFLA_INFO_KIND)
                return attributes.ReadText();
        }

        return "";
    }

    private static (uint Id, XdpMode Mode) ParseXdp(ReadOnlySpan<byte> xdp)
    {
        // Each mode has an id of its own; the plain one is absent when several modes are in use.
        uint id = 0;
        uint fallback = 0;
        XdpMode modes = XdpMode.None;
        NetlinkAttributes attributes = new(xdp);
        while (attributes.Next())
        {
            XdpMode mode = attributes.Type switch
            {
                IFLA_XDP_SKB_PROG_ID => XdpMode.Generic,
                IFLA_XDP_DRV_PROG_ID => XdpMode.Native,
                IFLA_XDP_HW_PROG_ID => XdpMode.Offloaded,
                _ => XdpMode.None,
            };
            if (attributes.Type == IFLA_XDP_PROG_ID)
                id = attributes.ReadUInt32();
            else if (mode != XdpMode.None && attributes.ReadUInt32() is > 0 and var ofMode)
                (fallback, modes) = (fallback == 0 ? ofMode : fallback, modes | mode);
        }

        return (id == 0 ? fallback : id, modes);
    }

    private static void CheckHeader(ReadOnlySpan<byte> payload, int size)
    {
        if (payload.Length < size)
            NetlinkMessage.ThrowMalformed($"{payload.Length} bytes where {size} come first");
    }
}
