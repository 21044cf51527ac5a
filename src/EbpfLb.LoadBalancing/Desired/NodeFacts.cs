// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.LoadBalancing.Desired;

/// <summary>What is known of this node beside its name and zone.</summary>
public sealed record NodeFacts(EquatableArray<Address> Addresses, EquatableArray<AddressPrefix> PodCidrs)
{
    public static NodeFacts None { get; } = new(default, default);

    /// <summary>What either knows, ordered.</summary>
    internal NodeFacts And(Node? node) => node is null ? Ordered(this) : Ordered(new NodeFacts(
        [.. Addresses, .. node.Addresses], [.. PodCidrs, .. node.PodCidrs]));

    private static NodeFacts Ordered(NodeFacts facts) => new(
        facts.Addresses.Distinct().Order().ToEquatableArray(), facts.PodCidrs.Distinct().Order().ToEquatableArray());
}
