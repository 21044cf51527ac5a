// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Linux.Netlink;

/// <summary>
/// Lists of the calling thread's network namespace. A list that changed while it was read is read again, so that what is given back was true
/// at one moment.
/// </summary>
public static class NetworkDump
{
    // A table that changes all the time is reported, and not read for ever.
    private const int MaxInterruptions = 64;

    private const int StructOffset = NetlinkMessage.HeaderSize;
    private const int LinkFilterSize = 8;

    // Counters of every link are half of the answer, and nobody asked.
    private const uint RTEXT_FILTER_SKIP_STATS = 1 << 3;

    private delegate void Parse<T>(in NetlinkMessage message, List<T> into);

    public static IReadOnlyList<NetworkLink> Links()
    {
        byte[] request = new byte[StructOffset + RouteMessages.LinkHeaderSize + LinkFilterSize];
        NetlinkMessage.WriteAttribute(
            request.AsSpan(StructOffset + RouteMessages.LinkHeaderSize), RouteMessages.IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
        return Read<NetworkLink>("links", RouteMessages.RTM_GETLINK, request, static (in message, into) =>
        {
            if (message.Type == RouteMessages.RTM_NEWLINK && RouteMessages.ParseLink(message.Payload) is { } link)
                into.Add(link);
        });
    }

    public static IReadOnlyList<NetworkAddress> Addresses()
        => Read<NetworkAddress>(
            "addresses", RouteMessages.RTM_GETADDR, new byte[StructOffset + RouteMessages.AddressHeaderSize], static (in message, into) =>
            {
                if (message.Type == RouteMessages.RTM_NEWADDR && RouteMessages.ParseAddress(message.Payload) is { } address)
                    into.Add(address);
            });

    /// <summary>Of all tables, IPv4 and IPv6.</summary>
    public static IReadOnlyList<NetworkRoute> Routes()
        => Read<NetworkRoute>(
            "routes", RouteMessages.RTM_GETROUTE, new byte[StructOffset + RouteMessages.RouteHeaderSize], static (in message, into) =>
            {
                if (message.Type == RouteMessages.RTM_NEWROUTE)
                    RouteMessages.ParseRoute(message.Payload, into);
            });

    public static IReadOnlyList<NetworkNeighbor> Neighbors()
        => Read<NetworkNeighbor>(
            "neighbors", RouteMessages.RTM_GETNEIGH, new byte[StructOffset + RouteMessages.NeighborHeaderSize], static (in message, into) =>
            {
                if (message.Type == RouteMessages.RTM_NEWNEIGH && RouteMessages.ParseNeighbor(message.Payload) is { } neighbor)
                    into.Add(neighbor);
            });

    private static List<T> Read<T>(string what, ushort type, byte[] request, Parse<T> parse)
    {
        using NetlinkSocket socket = NetlinkSocket.Open(NetlinkSocket.NETLINK_ROUTE);
        List<T> found = [];
        for (int interruption = 0; interruption < MaxInterruptions; interruption++)
        {
            found.Clear();
            if (socket.Dump($"list {what}", type, request, (in message) => parse(in message, found)))
                return found;
        }

        throw new LinuxException($"list {what}", Errno.EAGAIN, $"they changed during each of {MaxInterruptions} attempts");
    }
}
