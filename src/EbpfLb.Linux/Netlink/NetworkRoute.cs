// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;

namespace EbpfLb.Linux.Netlink;

/// <summary>One next hop of a route: a multipath route is several of these.</summary>
/// <param name="Destination">Null of a default route.</param>
/// <param name="Gateway">Null when the destination is on the link. May be an IPv6 address of an IPv4 route.</param>
/// <param name="OutputIndex">0 when the route names no device: unreachable, blackhole.</param>
/// <param name="Table">254 is main, 255 local.</param>
/// <param name="Priority">The metric: lower wins.</param>
/// <param name="Type">RTN_*: 1 is unicast, 2 local, 3 broadcast, 7 unreachable.</param>
public sealed record NetworkRoute(
    bool IsIPv6,
    IPAddress? Destination,
    int PrefixLength,
    IPAddress? Gateway,
    int OutputIndex,
    uint Table,
    uint Priority,
    byte Type);
