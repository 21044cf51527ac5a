// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using EbpfLb.Linux.Netlink;

namespace EbpfLb.Datapath.Devices;

/// <summary>
/// The network of this node as far as it was told: read as a whole, then changed event by event. An event that is older than the reading
/// does no harm, because those that followed it come too.
/// </summary>
public sealed class NetworkPicture
{
    private const byte RTN_UNICAST = 1;
    private const uint RT_TABLE_MAIN = 254;
    private const uint RT_TABLE_LOCAL = 255;
    private const ushort NUD_FAILED = 0x20;

    private readonly Dictionary<int, NetworkLink> _links = [];
    private readonly List<NetworkAddress> _addresses = [];
    private readonly Dictionary<(int Link, IPAddress Address), HardwareAddress> _neighbors = [];
    private List<NetworkRoute> _defaultRoutes = [];

    public IReadOnlyDictionary<int, NetworkLink> Links => _links;

    /// <summary>In the order the kernel has them.</summary>
    public IReadOnlyList<NetworkAddress> Addresses => _addresses;

    /// <summary>That lead somewhere: those of the main table first, then the best.</summary>
    public IReadOnlyList<NetworkRoute> DefaultRoutes => _defaultRoutes;

    public PictureEffects Take(NetworkChange change)
    {
        ArgumentNullException.ThrowIfNull(change);
        return change.Kind switch
        {
            NetworkChangeKind.LinkChanged => Changed(change.Link!),
            NetworkChangeKind.LinkRemoved => Removed(change.Link!),
            NetworkChangeKind.AddressChanged => Changed(change.Address!),
            NetworkChangeKind.AddressRemoved => Removed(change.Address!),
            NetworkChangeKind.RouteChanged => change.Route is { PrefixLength: > 0 }
                ? PictureEffects.Routes
                : PictureEffects.Routes | PictureEffects.DefaultRoutes,
            NetworkChangeKind.NeighborChanged => Changed(change.Neighbor!),
            NetworkChangeKind.NeighborRemoved => Forget(change.Neighbor!),
            _ => PictureEffects.Lost | PictureEffects.Routes,
        };
    }

    /// <summary>Takes a whole reading, and says in what it differs from what was known.</summary>
    public PictureEffects Replace(
        IReadOnlyList<NetworkLink> links, IReadOnlyList<NetworkAddress> addresses, IReadOnlyList<NetworkRoute> routes,
        IReadOnlyList<NetworkNeighbor> neighbors)
    {
        ArgumentNullException.ThrowIfNull(links);
        ArgumentNullException.ThrowIfNull(addresses);
        ArgumentNullException.ThrowIfNull(neighbors);
        var effects = PictureEffects.None;
        var present = links.Select(link => link.Index).ToHashSet();
        foreach (var gone in _links.Values.Where(link => !present.Contains(link.Index)).ToArray())
            effects |= Removed(gone);
        foreach (var link in links)
            effects |= Changed(link);

        if (!_addresses.SequenceEqual(addresses))
        {
            effects |= PictureEffects.Devices | PictureEffects.Routes;
            _addresses.Clear();
            _addresses.AddRange(addresses);
        }

        var seen = new HashSet<(int, IPAddress)>();
        foreach (var neighbor in neighbors)
        {
            seen.Add((neighbor.LinkIndex, neighbor.Address));
            effects |= Changed(neighbor);
        }

        foreach (var key in _neighbors.Keys.Where(key => !seen.Contains(key)).ToArray())
        {
            _neighbors.Remove(key);
            effects |= PictureEffects.Routes;
        }

        return effects | ReplaceRoutes(routes);
    }

    public PictureEffects ReplaceRoutes(IReadOnlyList<NetworkRoute> routes)
    {
        ArgumentNullException.ThrowIfNull(routes);
        List<NetworkRoute> defaults =
        [
            .. routes.Where(route => route is { PrefixLength: 0, Type: RTN_UNICAST, OutputIndex: > 0 } && route.Table != RT_TABLE_LOCAL)
                .OrderBy(route => route.Table != RT_TABLE_MAIN).ThenBy(route => route.Priority),
        ];
        if (defaults.SequenceEqual(_defaultRoutes))
            return PictureEffects.None;

        _defaultRoutes = defaults;
        return PictureEffects.Devices | PictureEffects.Routes;
    }

    private PictureEffects Changed(NetworkLink link)
    {
        bool known = _links.TryGetValue(link.Index, out var before);
        if (known && link.Equals(before))
            return PictureEffects.None;

        _links[link.Index] = link;
        bool sameWay = !known || (before!.IsUp == link.IsUp && before.MacAddress == link.MacAddress && before.Mtu == link.Mtu);
        return sameWay
            ? PictureEffects.Devices
            : PictureEffects.Devices | PictureEffects.Routes | PictureEffects.DefaultRoutes;
    }

    private PictureEffects Removed(NetworkLink link)
    {
        if (!_links.Remove(link.Index))
            return PictureEffects.None;

        _addresses.RemoveAll(address => address.LinkIndex == link.Index);
        foreach (var key in _neighbors.Keys.Where(key => key.Link == link.Index).ToArray())
            _neighbors.Remove(key);
        return PictureEffects.Devices | PictureEffects.Routes | PictureEffects.DefaultRoutes;
    }

    private PictureEffects Changed(NetworkAddress address)
    {
        int index = IndexOf(address);
        if (index < 0)
            _addresses.Add(address);
        else if (_addresses[index] == address)
            return PictureEffects.None;
        else
            _addresses[index] = address;
        return PictureEffects.Devices | PictureEffects.Routes;
    }

    private PictureEffects Removed(NetworkAddress address)
    {
        int index = IndexOf(address);
        if (index < 0)
            return PictureEffects.None;

        _addresses.RemoveAt(index);
        // Routes that prefer it as a source go without a word.
        return PictureEffects.Devices | PictureEffects.Routes | PictureEffects.DefaultRoutes;
    }

    private int IndexOf(NetworkAddress address) => _addresses.FindIndex(known =>
        known.LinkIndex == address.LinkIndex && known.PrefixLength == address.PrefixLength && known.Address.Equals(address.Address));

    // Whether it was heard of lately is the kernel's affair; frames go to the same place.
    private PictureEffects Changed(NetworkNeighbor neighbor)
    {
        if (neighbor.LinkLayerAddress.IsNone || (neighbor.State & NUD_FAILED) != 0)
            return Forget(neighbor);

        var key = (neighbor.LinkIndex, neighbor.Address);
        bool moved = _neighbors.TryGetValue(key, out var before) && before != neighbor.LinkLayerAddress;
        _neighbors[key] = neighbor.LinkLayerAddress;
        return moved ? PictureEffects.Routes : PictureEffects.None;
    }

    private PictureEffects Forget(NetworkNeighbor neighbor) =>
        _neighbors.Remove((neighbor.LinkIndex, neighbor.Address)) ? PictureEffects.Routes : PictureEffects.None;
}
