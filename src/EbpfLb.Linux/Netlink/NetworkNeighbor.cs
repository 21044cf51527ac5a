// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;

namespace EbpfLb.Linux.Netlink;

/// <param name="LinkLayerAddress">None while it is not known.</param>
/// <param name="State">NUD_*: 0x02 is reachable, 0x04 stale, 0x20 failed, 0x40 noarp, 0x80 permanent.</param>
public sealed record NetworkNeighbor(int LinkIndex, IPAddress Address, HardwareAddress LinkLayerAddress, ushort State);
