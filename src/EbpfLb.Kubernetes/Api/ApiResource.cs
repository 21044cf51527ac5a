// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Api;

public enum ResourceKind : byte
{
    Service,
    EndpointSlice,
    Node,
    ServiceCidr,
}

/// <summary>What is listed and watched, and which of it: the same selectors as kube-proxy's.</summary>
/// <param name="Path">Of the collection, from the root of the server: <c>/api/v1/services</c>.</param>
/// <param name="Name">As RBAC and messages call it: <c>endpointslices.discovery.k8s.io</c>.</param>
public sealed record ApiResource(ResourceKind Kind, string Path, string Name, string? LabelSelector = null, string? FieldSelector = null)
{
    public static ApiResource Services { get; } = new(
        ResourceKind.Service, "/api/v1/services", "services", "!service.kubernetes.io/service-proxy-name", "spec.clusterIP!=None");

    public static ApiResource EndpointSlices { get; } = new(
        ResourceKind.EndpointSlice, "/apis/discovery.k8s.io/v1/endpointslices", "endpointslices.discovery.k8s.io",
        "!service.kubernetes.io/headless");

    public static ApiResource ServiceCidrs { get; } = new(
        ResourceKind.ServiceCidr, "/apis/networking.k8s.io/v1/servicecidrs", "servicecidrs.networking.k8s.io");

    public static ApiResource Node(string name) => new(ResourceKind.Node, "/api/v1/nodes", "nodes", FieldSelector: "metadata.name=" + name);
}
