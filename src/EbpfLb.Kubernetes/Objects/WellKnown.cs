// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Collections.Frozen;

namespace EbpfLb.Kubernetes.Objects;

/// <summary>The labels and annotations that mean something to the agent.</summary>
public static class WellKnown
{
    /// <summary>On a Service: another proxy serves it.</summary>
    public const string ServiceProxyNameLabel = "service.kubernetes.io/service-proxy-name";

    /// <summary>On an EndpointSlice: its service has no cluster IP, so nobody reaches these endpoints through a frontend.</summary>
    public const string HeadlessLabel = "service.kubernetes.io/headless";

    /// <summary>On an EndpointSlice: the service it belongs to.</summary>
    public const string ServiceNameLabel = "kubernetes.io/service-name";

    /// <summary>On a Node.</summary>
    public const string ZoneLabel = "topology.kubernetes.io/zone";

    /// <summary>On a Service: <c>random</c> or <c>maglev</c>.</summary>
    public const string AlgorithmAnnotation = "ebpflb.io/algorithm";

    /// <summary>On a Service: slots of its Maglev table.</summary>
    public const string MaglevTableSizeAnnotation = "ebpflb.io/maglev-table-size";

    /// <summary>On an EndpointSlice: when what it tells happened, in RFC 3339.</summary>
    public const string LastChangeTriggerAnnotation = "endpoints.kubernetes.io/last-change-trigger-time";

    /// <summary>The key of a taint on a Node that the cluster autoscaler is about to delete.</summary>
    public const string ToBeDeletedTaint = "ToBeDeletedByClusterAutoscaler";

    public static FrozenSet<string> Labels { get; } =
        FrozenSet.Create(StringComparer.Ordinal, ServiceProxyNameLabel, HeadlessLabel, ServiceNameLabel, ZoneLabel);

    public static FrozenSet<string> Annotations { get; } =
        FrozenSet.Create(StringComparer.Ordinal, AlgorithmAnnotation, MaglevTableSizeAnnotation, LastChangeTriggerAnnotation);
}
