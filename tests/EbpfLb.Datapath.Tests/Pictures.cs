// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using EbpfLb.Datapath.Devices;
using EbpfLb.Linux.Netlink;

namespace EbpfLb.Datapath.Tests;

/// <summary>Networks in a few words.</summary>
internal static class Pictures
{
    public const ushort Ethernet = 1;
    public const ushort LoopbackType = 772;

    public static NetworkLink Link(
        int index, string name, bool up = true, string kind = "", int master = 0, ushort type = Ethernet, uint mtu = 1500, ulong mac = 0) =>
        new(index, name, type, up, mtu, new HardwareAddress(mac == 0 ? 0x020000000000u + (ulong)index : mac), kind, master, 0);

    public static NetworkLink Loopback => Link(1, "lo", type: LoopbackType, mtu: 65536);

    public static NetworkAddress Address(int link, string text, byte scope = 0, uint flags = 0x80)
    {
        string[] parts = text.Split('/');
        return new(link, IPAddress.Parse(parts[0]), int.Parse(parts[1], null), scope, flags);
    }

    public static NetworkRoute Default(int link, bool ipv6 = false, uint priority = 0, byte type = 1, uint table = 254) =>
        new(ipv6, null, 0, null, link, table, priority, type);

    public static NetworkNeighbor Neighbor(int link, string address, ulong mac, ushort state = 2) =>
        new(link, IPAddress.Parse(address), new HardwareAddress(mac), state);

    public static NetworkPicture Of(params object[] things)
    {
        var picture = new NetworkPicture();
        picture.Replace(
            [.. things.OfType<NetworkLink>()], [.. things.OfType<NetworkAddress>()], [.. things.OfType<NetworkRoute>()],
            [.. things.OfType<NetworkNeighbor>()]);
        return picture;
    }

    public static IReadOnlyList<DevicePattern> Patterns(params string[] texts) =>
        [.. texts.Select(text => DevicePattern.TryParse(text, out var pattern) ? pattern : throw new FormatException(text))];
}
