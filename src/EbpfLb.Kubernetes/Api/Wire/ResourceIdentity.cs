// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Manifests.Decoding;

namespace EbpfLb.Kubernetes.Api.Wire;

/// <summary>What the objects and lists of a resource call themselves.</summary>
internal static class ResourceIdentity
{
    /// <summary>An annotation of a bookmark.</summary>
    public const string InitialEventsEnd = "k8s.io/initial-events-end";

    public static Identity Status { get; } = new("v1", "Status");

    public static Identity OfObject(ResourceKind kind) => kind switch
    {
        ResourceKind.Service => new Identity("v1", "Service"),
        ResourceKind.EndpointSlice => new Identity("discovery.k8s.io/v1", "EndpointSlice"),
        ResourceKind.Node => new Identity("v1", "Node"),
        _ => new Identity("networking.k8s.io/v1", "ServiceCIDR"),
    };

    public static Identity OfList(ResourceKind kind)
    {
        var item = OfObject(kind);
        return item with { Kind = item.Kind + "List" };
    }
}
