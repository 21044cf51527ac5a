// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux.Netlink;

namespace EbpfLb.Datapath.Devices;

/// <summary>Which devices get programs.</summary>
public sealed record DevicePlan(IReadOnlyDictionary<int, DeviceRole> Devices)
{
    private const ushort ARPHRD_ETHER = 1;

    public static DevicePlan Empty { get; } = new(new Dictionary<int, DeviceRole>());

    /// <param name="before">
    /// The last plan. A device that was found stays, while it is down or has an address: a default route that goes for a while must not cut
    /// the flows through it.
    /// </param>
    public static DevicePlan Decide(NetworkPicture picture, DeviceOptions options, DevicePlan before)
    {
        ArgumentNullException.ThrowIfNull(picture);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(before);
        var devices = new SortedDictionary<int, DeviceRole>();
        foreach (var link in picture.Links.Values.Where(link => link.HardwareType == ARPHRD_ETHER))
        {
            bool uplink = options.Devices is { } patterns
                ? patterns.Any(pattern => IsChosen(pattern, link, picture))
                : IsFound(link, picture, options) || (WasUplink(link, before) && MayStay(link, picture));
            if (uplink)
                devices[link.Index] = DeviceRole.Uplink;
            else if (options.PodDevices.Any(pattern => pattern.Matches(link.Name)))
                devices[link.Index] = DeviceRole.Pod;
        }

        return new DevicePlan(devices);
    }

    /// <summary>Devices that --devices names in full but that carry no Ethernet frames.</summary>
    public static IEnumerable<NetworkLink> Unusable(NetworkPicture picture, DeviceOptions options)
    {
        ArgumentNullException.ThrowIfNull(picture);
        ArgumentNullException.ThrowIfNull(options);
        return picture.Links.Values.Where(link => link.HardwareType != ARPHRD_ETHER
            && (options.Devices?.Any(pattern => pattern.Text == link.Name) == true
                || options.PodDevices.Any(pattern => pattern.Text == link.Name)));
    }

    // What belongs to a bridge or a bond has its packets there; only its full name takes it out.
    private static bool IsChosen(DevicePattern pattern, NetworkLink link, NetworkPicture picture) =>
        pattern.Matches(link.Name) && (pattern.Text == link.Name || !IsPort(link, picture));

    private static bool IsFound(NetworkLink link, NetworkPicture picture, DeviceOptions options) =>
        link.IsUp && !IsPort(link, picture)
        && (picture.DefaultRoutes.Any(route => route.OutputIndex == link.Index) || HasNodeAddress(link, picture, options));

    private static bool WasUplink(NetworkLink link, DevicePlan before) =>
        before.Devices.TryGetValue(link.Index, out var role) && role == DeviceRole.Uplink;

    private static bool MayStay(NetworkLink link, NetworkPicture picture) =>
        !IsPort(link, picture)
        && (!link.IsUp || picture.Addresses.Any(address => address.LinkIndex == link.Index && NodeAddresses.IsGlobal(address)));

    private static bool HasNodeAddress(NetworkLink link, NetworkPicture picture, DeviceOptions options) =>
        picture.Addresses.Any(address => address.LinkIndex == link.Index
            && options.NodeAddresses.Contains(LoadBalancing.Model.Address.From(address.Address)));

    // A VRF has ports too, but they keep their packets.
    private static bool IsPort(NetworkLink link, NetworkPicture picture) =>
        link.MasterIndex != 0 && !(picture.Links.TryGetValue(link.MasterIndex, out var master) && master.Kind == "vrf");
}
