// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.LoadBalancing.Desired;

/// <summary>
/// A service CIDR holds an address of this node. What nobody has in a service CIDR is dropped, which would cut the node off; so the CIDR
/// is not desired while this lasts.
/// </summary>
/// <param name="NodeAddress">The first, if there are several.</param>
public sealed record ServiceCidrConflict(AddressPrefix Cidr, Address NodeAddress);
