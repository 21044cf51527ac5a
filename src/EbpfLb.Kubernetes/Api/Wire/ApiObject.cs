// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Objects;

namespace EbpfLb.Kubernetes.Api.Wire;

/// <summary>One object of a collection. Exactly one of the four is set.</summary>
internal sealed record ApiObject
{
    public ServiceObject? Service { get; init; }

    public EndpointSliceObject? Slice { get; init; }

    public NodeObject? Node { get; init; }

    public ServiceCidrObject? ServiceCidr { get; init; }

    /// <summary>What is wrong with fields that were left out; escaped. Null when all could be read.</summary>
    public string? Defect { get; init; }

    public ObjectMeta? Metadata => Service?.Metadata ?? Slice?.Metadata ?? Node?.Metadata ?? ServiceCidr?.Metadata;
}
