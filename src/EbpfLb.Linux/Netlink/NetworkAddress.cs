// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;

namespace EbpfLb.Linux.Netlink;

/// <param name="Address">This end's, of a point-to-point address too. Without a scope id.</param>
/// <param name="Scope">RT_SCOPE_*: 0 is universe, 253 link, 254 host.</param>
/// <param name="Flags">IFA_F_*: 0x40 is tentative, 0x08 a duplicate, 0x20 deprecated.</param>
public sealed record NetworkAddress(int LinkIndex, IPAddress Address, int PrefixLength, byte Scope, uint Flags);
