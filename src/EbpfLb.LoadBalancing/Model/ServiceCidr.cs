// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.LoadBalancing.Model;

/// <summary>Networks that cluster IPs are taken from.</summary>
/// <param name="Name">As in the API; it has no namespace.</param>
/// <param name="Prefixes">None of length 0: that would make every address a service's.</param>
public sealed record ServiceCidr(string Name, EquatableArray<AddressPrefix> Prefixes);
