// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using EbpfLb.Datapath.Contract;
using EbpfLb.Linux.Netlink;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Devices;

/// <summary>The addresses of this node, and what each is good for.</summary>
public static class NodeAddresses
{
    private const byte RT_SCOPE_UNIVERSE = 0;

    // Secondary of IPv4 addresses, temporary of IPv6 ones.
    private const uint IFA_F_SECONDARY = 0x01;
    private const uint IFA_F_DADFAILED = 0x08;
    private const uint IFA_F_DEPRECATED = 0x20;
    private const uint IFA_F_TENTATIVE = 0x40;
    private const uint IFA_F_OPTIMISTIC = 0x04;

    /// <summary>node_addrs_v1.</summary>
    public static Dictionary<Address, NodeAddressFlags> Local(NetworkPicture picture, DeviceOptions options)
    {
        ArgumentNullException.ThrowIfNull(picture);
        ArgumentNullException.ThrowIfNull(options);
        Address?[] primary = [NodeIp(picture, options, AddressFamily.IPv4), NodeIp(picture, options, AddressFamily.IPv6)];
        IPAddress[] loopbacks = [IPAddress.Loopback, IPAddress.IPv6Loopback];
        var local = new Dictionary<Address, NodeAddressFlags>();
        foreach (var ip in picture.Addresses.Where(IsUsable).Select(address => address.Address).Concat(loopbacks))
        {
            var address = Address.From(ip);
            bool answers = options.NodePorts.Primary ? primary.Contains(address) : options.NodePorts.Admits(address);
            // Every link has one of these, and a client would have to name the link.
            answers &= !ip.IsIPv6LinkLocal;
            local[address] = (answers ? NodeAddressFlags.NodePorts : 0) | (IPAddress.IsLoopback(ip) ? NodeAddressFlags.Loopback : 0);
        }

        return local;
    }

    /// <summary>The node's own address of a family: as told, or the first of the device with the best default route that has one.</summary>
    public static Address? NodeIp(NetworkPicture picture, DeviceOptions options, AddressFamily family)
    {
        ArgumentNullException.ThrowIfNull(picture);
        ArgumentNullException.ThrowIfNull(options);
        foreach (var told in options.NodeAddresses.Where(address => address.Family == family))
            return told;

        // A route of the family itself says more than one of the other.
        foreach (var route in picture.DefaultRoutes.OrderBy(route => route.IsIPv6 != (family == AddressFamily.IPv6)))
        {
            if (First(picture, route.OutputIndex, family) is { } address)
                return address;
        }

        return null;
    }

    /// <summary>devices_v1.</summary>
    /// <param name="attached">Devices whose incoming packets our programs see.</param>
    /// <param name="sends">Devices that take frames from XDP.</param>
    public static Dictionary<uint, DeviceValue> Devices(
        NetworkPicture picture, DeviceOptions options, IReadOnlySet<int> attached, IReadOnlySet<int> sends)
    {
        ArgumentNullException.ThrowIfNull(picture);
        ArgumentNullException.ThrowIfNull(attached);
        ArgumentNullException.ThrowIfNull(sends);
        var node4 = NodeIp(picture, options, AddressFamily.IPv4);
        var node6 = NodeIp(picture, options, AddressFamily.IPv6);
        var devices = new Dictionary<uint, DeviceValue>();
        Span<byte> mac = stackalloc byte[MacAddress.Length];
        foreach (var link in picture.Links.Values)
        {
            bool isAttached = attached.Contains(link.Index);
            link.MacAddress.CopyTo(mac);
            devices[(uint)link.Index] = new DeviceValue
            {
                SourceV4 = Source(picture, options, link.Index, AddressFamily.IPv4) ?? (isAttached ? node4 : null) ?? default,
                SourceV6 = Source(picture, options, link.Index, AddressFamily.IPv6) ?? (isAttached ? node6 : null) ?? default,
                Mac = new MacAddress(mac),
                Mtu = (ushort)uint.Min(link.Mtu, ushort.MaxValue),
                Flags = (isAttached ? DeviceFlags.Attached : 0)
                    | (sends.Contains(link.Index) ? DeviceFlags.XdpSends : 0)
                    | (TurnsFrames(link, sends) ? DeviceFlags.XdpTurns : 0),
            };
        }

        return devices;
    }

    // What XDP sends back through a veth is lost, without a word, unless the other end is ready for it as for any frame of XDP's. Drivers
    // that have XDP at all send back.
    private static bool TurnsFrames(NetworkLink link, IReadOnlySet<int> sends) => link.Kind != "veth" || sends.Contains(link.Index);

    internal static bool IsGlobal(NetworkAddress address) => address.Scope == RT_SCOPE_UNIVERSE && IsUsable(address);

    // The node's own address before another of the same device: it is the one that firewalls and other nodes know.
    private static Address? Source(NetworkPicture picture, DeviceOptions options, int link, AddressFamily family)
    {
        foreach (var told in options.NodeAddresses.Where(address => address.Family == family))
        {
            if (picture.Addresses.Any(address => address.LinkIndex == link && IsUsable(address) && Address.From(address.Address) == told))
                return told;
        }

        return First(picture, link, family);
    }

    private static Address? First(NetworkPicture picture, int link, AddressFamily family) =>
        picture.Addresses
            .Where(address => address.LinkIndex == link && IsGlobal(address))
            .OrderBy(address => (address.Flags & (IFA_F_SECONDARY | IFA_F_DEPRECATED)) != 0)
            .Select(address => (Address?)Address.From(address.Address))
            .FirstOrDefault(address => address!.Value.Family == family);

    // An address that others may have is not the node's yet, unless the kernel already uses it.
    private static bool IsUsable(NetworkAddress address) =>
        (address.Flags & IFA_F_DADFAILED) == 0
        && ((address.Flags & IFA_F_TENTATIVE) == 0 || (address.Flags & IFA_F_OPTIMISTIC) != 0);
}
