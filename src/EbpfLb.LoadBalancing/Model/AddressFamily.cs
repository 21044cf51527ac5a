// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.LoadBalancing.Model;

/// <summary>The numbers are those of the IP version, as the maps keep them.</summary>
public enum AddressFamily : byte
{
    IPv4 = 4,
    IPv6 = 6,
}
