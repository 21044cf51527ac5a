// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Objects;

public sealed class EndpointSliceObject
{
    public ObjectMeta? Metadata { get; init; }

    public string? AddressType { get; init; }

    public IReadOnlyList<SlicePortSpec>? Ports { get; init; }

    public IReadOnlyList<EndpointSpec>? Endpoints { get; init; }
}

public sealed class SlicePortSpec
{
    public string? Name { get; init; }

    public string? Protocol { get; init; }

    public int? Port { get; init; }
}

public sealed class EndpointSpec
{
    public IReadOnlyList<string>? Addresses { get; init; }

    /// <summary>conditions.ready</summary>
    public bool? Ready { get; init; }

    /// <summary>conditions.serving</summary>
    public bool? Serving { get; init; }

    /// <summary>conditions.terminating</summary>
    public bool? Terminating { get; init; }

    public string? NodeName { get; init; }

    /// <summary>The names in hints.forZones.</summary>
    public IReadOnlyList<string>? ForZones { get; init; }

    /// <summary>The names in hints.forNodes.</summary>
    public IReadOnlyList<string>? ForNodes { get; init; }
}
