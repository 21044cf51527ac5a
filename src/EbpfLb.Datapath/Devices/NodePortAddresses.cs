// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Devices;

/// <summary>Which of the node's addresses answer NodePorts.</summary>
/// <param name="Primary">Only the node's own address of each family.</param>
/// <param name="Prefixes">Only those in one of them; empty: all.</param>
public sealed record NodePortAddresses(bool Primary, IReadOnlyList<AddressPrefix> Prefixes)
{
    public static NodePortAddresses All { get; } = new(false, []);

    public bool Admits(Address address) => Prefixes.Count == 0 || Prefixes.Any(prefix => prefix.Contains(address));
}
