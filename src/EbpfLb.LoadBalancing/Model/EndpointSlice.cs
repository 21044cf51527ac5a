// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.LoadBalancing.Model;

/// <summary>One EndpointSlice of a service. A service may have any number, and the same endpoint may stand in several.</summary>
public sealed record EndpointSlice
{
    public required ObjectName Name { get; init; }

    /// <summary>The service it belongs to, in the slice's own namespace.</summary>
    public required ObjectName Service { get; init; }

    public required AddressFamily Family { get; init; }

    /// <summary>Only ports that have a number.</summary>
    public EquatableArray<EndpointPort> Ports { get; init; }

    public EquatableArray<Endpoint> Endpoints { get; init; }

    /// <summary>When what this version of the slice tells happened to a pod or a service. Null when the source does not say.</summary>
    public DateTimeOffset? LastChangeTrigger { get; init; }
}

/// <param name="Name">The name of the service port it serves; empty for a port without a name.</param>
/// <param name="Protocol">Must be the service port's.</param>
/// <param name="Port">Where the endpoint listens, host order, not 0.</param>
public sealed record EndpointPort(string Name, Protocol Protocol, ushort Port);

/// <summary>Conditions are as the API means them when it says nothing: ready and serving true, terminating false.</summary>
public sealed record Endpoint
{
    public required Address Address { get; init; }

    public bool Ready { get; init; } = true;

    public bool Serving { get; init; } = true;

    public bool Terminating { get; init; }

    /// <summary>Null when the endpoint runs on no node, or its node is not known.</summary>
    public string? NodeName { get; init; }

    /// <summary>Zones that should use it, from its topology hints.</summary>
    public EquatableArray<string> ZoneHints { get; init; }

    /// <summary>Nodes that should use it, from its topology hints.</summary>
    public EquatableArray<string> NodeHints { get; init; }
}
