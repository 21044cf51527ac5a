// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Collections.Frozen;
using EbpfLb.Kubernetes.Api.Wire;
using EbpfLb.Kubernetes.Objects;
using Messages = EbpfLb.Kubernetes.Api.Wire.Messages;

namespace EbpfLb.Kubernetes.Tests.Api.Wire;

/// <summary>
/// The other way from bytes to objects, through the classes that are generated from kubernetes.proto: the oracle for the reader that
/// does without them.
/// </summary>
internal static class GeneratedMessages
{
    public static IEnumerable<ApiObject> ReadServices(byte[] list) =>
        Messages.ServiceList.Parser.ParseFrom(list).Items.Select(item => new ApiObject { Service = Map(item) });

    public static IEnumerable<ApiObject> ReadSlices(byte[] list) =>
        Messages.EndpointSliceList.Parser.ParseFrom(list).Items.Select(item => new ApiObject { Slice = Map(item) });

    public static IEnumerable<ApiObject> ReadNodes(byte[] list) =>
        Messages.NodeList.Parser.ParseFrom(list).Items.Select(item => new ApiObject { Node = Map(item) });

    public static IEnumerable<ApiObject> ReadServiceCidrs(byte[] list) =>
        Messages.ServiceCIDRList.Parser.ParseFrom(list).Items.Select(item => new ApiObject { ServiceCidr = Map(item) });

    private static ServiceObject Map(Messages.Service service) => new()
    {
        Metadata = Map(service.Metadata),
        Spec = service.Spec is null ? null : Map(service.Spec),
        LoadBalancerIngress = List(service.Status?.LoadBalancer?.Ingress, ingress => new LoadBalancerIngress
        {
            IP = NonEmpty(ingress.Ip),
            IPMode = ingress.HasIpMode ? ingress.IpMode : null,
        }),
    };

    private static ServiceSpec Map(Messages.ServiceSpec spec) => new()
    {
        Type = NonEmpty(spec.Type),
        ClusterIP = NonEmpty(spec.ClusterIp),
        ClusterIPs = List(spec.ClusterIps),
        ExternalIPs = List(spec.ExternalIps),
        LoadBalancerSourceRanges = List(spec.LoadBalancerSourceRanges),
        SessionAffinity = NonEmpty(spec.SessionAffinity),
        SessionAffinityTimeoutSeconds =
            spec.SessionAffinityConfig?.ClientIp is { HasTimeoutSeconds: true } clientIP ? clientIP.TimeoutSeconds : null,
        InternalTrafficPolicy = spec.HasInternalTrafficPolicy ? spec.InternalTrafficPolicy : null,
        ExternalTrafficPolicy = NonEmpty(spec.ExternalTrafficPolicy),
        HealthCheckNodePort = NonZero(spec.HealthCheckNodePort),
        Ports = List(spec.Ports, port => new ServicePortSpec
        {
            Name = NonEmpty(port.Name),
            Protocol = NonEmpty(port.Protocol),
            Port = port.HasPort ? port.Port : null,
            NodePort = NonZero(port.NodePort),
        }),
    };

    private static EndpointSliceObject Map(Messages.EndpointSlice slice) => new()
    {
        Metadata = Map(slice.Metadata),
        AddressType = slice.HasAddressType ? slice.AddressType : null,
        Ports = List(slice.Ports, port => new SlicePortSpec
        {
            Name = port.HasName ? port.Name : null,
            Protocol = port.HasProtocol ? port.Protocol : null,
            Port = port.HasPort ? port.Port : null,
        }),
        Endpoints = List(slice.Endpoints, endpoint => new EndpointSpec
        {
            Addresses = List(endpoint.Addresses),
            Ready = endpoint.Conditions is { HasReady: true } ready ? ready.Ready : null,
            Serving = endpoint.Conditions is { HasServing: true } serving ? serving.Serving : null,
            Terminating = endpoint.Conditions is { HasTerminating: true } terminating ? terminating.Terminating : null,
            NodeName = endpoint.HasNodeName ? endpoint.NodeName : null,
            ForZones = List(endpoint.Hints?.ForZones, zone => zone.Name),
            ForNodes = List(endpoint.Hints?.ForNodes, node => node.Name),
        }),
    };

    private static NodeObject Map(Messages.Node node) => new()
    {
        Metadata = Map(node.Metadata),
        PodCidr = NonEmpty(node.Spec?.PodCidr),
        PodCidrs = List(node.Spec?.PodCidrs),
        TaintKeys = List(node.Spec?.Taints, taint => taint.Key),
        Addresses = List(node.Status?.Addresses, address => new NodeAddress
        {
            Type = address.HasType ? address.Type : null,
            Address = address.HasAddress ? address.Address : null,
        }),
    };

    private static ServiceCidrObject Map(Messages.ServiceCIDR cidr) => new()
    {
        Metadata = Map(cidr.Metadata),
        Cidrs = List(cidr.Spec?.Cidrs),
    };

    private static ObjectMeta? Map(Messages.ObjectMeta? metadata) => metadata is null ? null : new ObjectMeta
    {
        Namespace = NonEmpty(metadata.Namespace),
        Name = NonEmpty(metadata.Name),
        Uid = NonEmpty(metadata.Uid),
        ResourceVersion = NonEmpty(metadata.ResourceVersion),
        CreationTimestamp = Map(metadata.CreationTimestamp),
        DeletionTimestamp = Map(metadata.DeletionTimestamp),
        Labels = Wanted(metadata.Labels, WellKnown.Labels),
        Annotations = Wanted(metadata.Annotations, WellKnown.Annotations),
    };

    private static DateTimeOffset? Map(Messages.Time? time) =>
        time is { HasSeconds: true } ? DateTimeOffset.FromUnixTimeSeconds(time.Seconds) : null;

    private static Dictionary<string, string>? Wanted(IDictionary<string, string> all, FrozenSet<string> wanted)
    {
        var found = all.Where(entry => wanted.Contains(entry.Key)).ToDictionary();
        return found.Count == 0 ? null : found;
    }

    private static List<string>? List(IReadOnlyCollection<string>? items) => items is { Count: > 0 } ? [.. items] : null;

    private static List<TResult>? List<T, TResult>(IReadOnlyCollection<T>? items, Func<T, TResult> map) =>
        items is { Count: > 0 } ? [.. items.Select(map)] : null;

    private static string? NonEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private static int? NonZero(int number) => number == 0 ? null : number;
}
