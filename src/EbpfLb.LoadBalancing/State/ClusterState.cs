// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Collections.Immutable;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.LoadBalancing.State;

/// <summary>All that is known of the cluster at one moment. Never changes; may be read from any thread.</summary>
public sealed class ClusterState
{
    private readonly ImmutableDictionary<ObjectName, Service> _services;

    // By service name, whether or not that service exists. Ordered by slice name.
    private readonly ImmutableDictionary<ObjectName, ImmutableArray<EndpointSlice>> _slices;

    internal ClusterState(
        ImmutableDictionary<ObjectName, Service> services,
        ImmutableDictionary<ObjectName, ImmutableArray<EndpointSlice>> slices,
        Node? node,
        EquatableArray<AddressPrefix> serviceCidrs,
        bool serviceCidrsArePartial)
    {
        _services = services;
        _slices = slices;
        Node = node;
        ServiceCidrs = serviceCidrs;
        ServiceCidrsArePartial = serviceCidrsArePartial;
    }

    public static ClusterState Empty { get; } = new(
        ImmutableDictionary<ObjectName, Service>.Empty, ImmutableDictionary<ObjectName, ImmutableArray<EndpointSlice>>.Empty, node: null,
        serviceCidrs: default, serviceCidrsArePartial: false);

    /// <summary>This node, null when it is not known.</summary>
    public Node? Node { get; }

    /// <summary>The networks of all ServiceCIDR objects together: ordered, each once.</summary>
    public EquatableArray<AddressPrefix> ServiceCidrs { get; }

    /// <summary>There may be more networks, of which nobody could tell.</summary>
    public bool ServiceCidrsArePartial { get; }

    public int ServiceCount => _services.Count;

    public IEnumerable<ObjectName> ServiceNames => _services.Keys;

    public IEnumerable<Service> Services => _services.Values;

    public Service? FindService(ObjectName name) => _services.GetValueOrDefault(name);

    /// <summary>Ordered by name. Empty when the service has none.</summary>
    public ReadOnlySpan<EndpointSlice> SlicesOf(ObjectName service) =>
        _slices.TryGetValue(service, out var slices) ? slices.AsSpan() : [];
}
