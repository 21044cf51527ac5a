// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.LoadBalancing.State;

/// <summary>
/// What a source saw change. All of it becomes visible at once: removals first, then upserts, so that an object may stand in both; of
/// two upserts of one name the later one stays.
/// </summary>
public sealed record ClusterChange
{
    public IReadOnlyCollection<Service> UpsertedServices { get; init; } = [];

    public IReadOnlyCollection<ObjectName> RemovedServices { get; init; } = [];

    public IReadOnlyCollection<EndpointSlice> UpsertedSlices { get; init; } = [];

    public IReadOnlyCollection<ObjectName> RemovedSlices { get; init; } = [];

    public IReadOnlyCollection<ServiceCidr> UpsertedServiceCidrs { get; init; } = [];

    public IReadOnlyCollection<string> RemovedServiceCidrs { get; init; } = [];

    /// <summary>Null leaves the node as it is.</summary>
    public NodeChange? Node { get; init; }
}

/// <param name="Node">This node, or null when it is gone.</param>
public sealed record NodeChange(Node? Node);
