// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Linux.Netlink;

/// <summary>What the kernel said when it happened; the record the kind is about is set, the others are null.</summary>
public sealed record NetworkChange(
    NetworkChangeKind Kind,
    NetworkLink? Link = null,
    NetworkAddress? Address = null,
    NetworkRoute? Route = null,
    NetworkNeighbor? Neighbor = null);
