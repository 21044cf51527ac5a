// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Linux.Netlink;

public enum NetworkChangeKind
{
    /// <summary>A link is there: new, or another in name, state, address, master or XDP program.</summary>
    LinkChanged,

    LinkRemoved,

    AddressChanged,

    AddressRemoved,

    /// <summary>A route was added, replaced or removed; without a route: a routing rule or a next hop object.</summary>
    RouteChanged,

    NeighborChanged,

    NeighborRemoved,

    /// <summary>Changes were lost: only a new dump tells what is there.</summary>
    Overrun,
}
