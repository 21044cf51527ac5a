// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Objects;

public sealed class NodeObject
{
    public ObjectMeta? Metadata { get; init; }

    /// <summary>spec.podCIDR</summary>
    public string? PodCidr { get; init; }

    /// <summary>spec.podCIDRs</summary>
    public IReadOnlyList<string>? PodCidrs { get; init; }

    /// <summary>The keys in spec.taints.</summary>
    public IReadOnlyList<string>? TaintKeys { get; init; }

    /// <summary>status.addresses</summary>
    public IReadOnlyList<NodeAddress>? Addresses { get; init; }
}

public sealed class NodeAddress
{
    public string? Type { get; init; }

    public string? Address { get; init; }
}
