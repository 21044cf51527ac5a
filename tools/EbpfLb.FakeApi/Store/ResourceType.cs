// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.FakeApi.Store;

/// <summary>A kind of object that the server keeps.</summary>
/// <param name="Message">Its protobuf message; null where the server has JSON alone.</param>
public sealed record ResourceType(string Group, string Version, string Plural, string Kind, bool Namespaced, string? Message = null)
{
    public static ResourceType Services { get; } = new("", "v1", "services", "Service", true, "Service");

    public static ResourceType Nodes { get; } = new("", "v1", "nodes", "Node", false, "Node");

    public static ResourceType Events { get; } = new("", "v1", "events", "Event", true, "Event");

    public static ResourceType NewEvents { get; } = new("events.k8s.io", "v1", "events", "Event", true, "events.Event");

    public static ResourceType EndpointSlices { get; } =
        new("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", true, "EndpointSlice");

    public static ResourceType ServiceCidrs { get; } = new("networking.k8s.io", "v1", "servicecidrs", "ServiceCIDR", false, "ServiceCIDR");

    public static IReadOnlyList<ResourceType> All { get; } =
    [
        Services, Nodes, Events, NewEvents, EndpointSlices, ServiceCidrs,
        new("", "v1", "namespaces", "Namespace", false),
        new("", "v1", "pods", "Pod", true),
        new("", "v1", "endpoints", "Endpoints", true),
        new("", "v1", "configmaps", "ConfigMap", true),
        new("", "v1", "secrets", "Secret", true),
        new("", "v1", "serviceaccounts", "ServiceAccount", true),
        new("apps", "v1", "deployments", "Deployment", true),
        new("apps", "v1", "daemonsets", "DaemonSet", true),
        new("coordination.k8s.io", "v1", "leases", "Lease", true),
        new("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", false),
        new("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", false),
    ];

    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>As RBAC and messages call it.</summary>
    public string Name => Group.Length == 0 ? Plural : $"{Plural}.{Group}";

    public string ListKind => Kind + "List";

    public static ResourceType? Find(string group, string version, string plural) =>
        All.FirstOrDefault(type => type.Group == group && type.Version == version && type.Plural == plural);

    public static ResourceType? OfKind(string? apiVersion, string? kind) =>
        All.FirstOrDefault(type => type.ApiVersion == apiVersion && type.Kind == kind);

    /// <exception cref="ArgumentException">There is none of this name.</exception>
    public static ResourceType Named(string name) =>
        All.FirstOrDefault(type => type.Name == name || type.Plural == name)
        ?? throw new ArgumentException($"No resource is called '{name}'; there are {string.Join(", ", All.Select(type => type.Name))}.");
}
