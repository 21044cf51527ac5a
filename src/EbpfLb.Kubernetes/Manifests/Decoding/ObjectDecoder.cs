// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Manifests.Tree;
using EbpfLb.Kubernetes.Objects;

namespace EbpfLb.Kubernetes.Manifests.Decoding;

/// <summary>From a tree to the objects of <see cref="Objects"/>: names of fields, nothing of their meaning.</summary>
internal static class ObjectDecoder
{
    public static ServiceObject DecodeService(FieldReader fields)
    {
        var spec = fields.Mapping(fields.Root, "spec");
        return new ServiceObject
        {
            Metadata = DecodeMetadata(fields),
            Spec = new ServiceSpec
            {
                Type = fields.Text(spec, "type"),
                ClusterIP = fields.Text(spec, "clusterIP"),
                ClusterIPs = fields.Texts(spec, "clusterIPs"),
                ExternalIPs = fields.Texts(spec, "externalIPs"),
                LoadBalancerSourceRanges = fields.Texts(spec, "loadBalancerSourceRanges"),
                Ports = fields.Mappings(spec, "ports", port => new ServicePortSpec
                {
                    Name = fields.SharedText(port, "name"),
                    Protocol = fields.Text(port, "protocol"),
                    Port = fields.Integer(port, "port"),
                    NodePort = fields.Integer(port, "nodePort"),
                }),
                SessionAffinity = fields.Text(spec, "sessionAffinity"),
                SessionAffinityTimeoutSeconds =
                    fields.Integer(fields.Mapping(fields.Mapping(spec, "sessionAffinityConfig"), "clientIP"), "timeoutSeconds"),
                InternalTrafficPolicy = fields.Text(spec, "internalTrafficPolicy"),
                ExternalTrafficPolicy = fields.Text(spec, "externalTrafficPolicy"),
                HealthCheckNodePort = fields.Integer(spec, "healthCheckNodePort"),
            },
            LoadBalancerIngress = fields.Mappings(
                fields.Mapping(fields.Mapping(fields.Root, "status"), "loadBalancer"), "ingress", ingress => new LoadBalancerIngress
                {
                    IP = fields.Text(ingress, "ip"),
                    IPMode = fields.Text(ingress, "ipMode"),
                }),
        };
    }

    public static EndpointSliceObject DecodeEndpointSlice(FieldReader fields) => new()
    {
        Metadata = DecodeMetadata(fields),
        AddressType = fields.Text(fields.Root, "addressType"),
        Ports = fields.Mappings(fields.Root, "ports", port => new SlicePortSpec
        {
            Name = fields.SharedText(port, "name"),
            Protocol = fields.Text(port, "protocol"),
            Port = fields.Integer(port, "port"),
        }),
        Endpoints = fields.Mappings(fields.Root, "endpoints", endpoint => DecodeEndpoint(fields, endpoint)),
    };

    public static NodeObject DecodeNode(FieldReader fields)
    {
        var spec = fields.Mapping(fields.Root, "spec");
        return new NodeObject
        {
            Metadata = DecodeMetadata(fields),
            PodCidr = fields.Text(spec, "podCIDR"),
            PodCidrs = fields.Texts(spec, "podCIDRs"),
            TaintKeys = fields.Mappings(spec, "taints", taint => fields.SharedText(taint, "key") ?? ""),
            Addresses = fields.Mappings(fields.Mapping(fields.Root, "status"), "addresses", address => new NodeAddress
            {
                Type = fields.Text(address, "type"),
                Address = fields.Text(address, "address"),
            }),
        };
    }

    public static ServiceCidrObject DecodeServiceCidr(FieldReader fields) => new()
    {
        Metadata = DecodeMetadata(fields),
        Cidrs = fields.Texts(fields.Mapping(fields.Root, "spec"), "cidrs"),
    };

    public static ObjectMeta DecodeMetadata(FieldReader fields)
    {
        var metadata = fields.Mapping(fields.Root, "metadata");
        return new ObjectMeta
        {
            Namespace = fields.SharedText(metadata, "namespace"),
            Name = fields.Text(metadata, "name"),
            Uid = fields.Text(metadata, "uid"),
            ResourceVersion = fields.Text(metadata, "resourceVersion"),
            DeletionTimestamp = fields.Time(metadata, "deletionTimestamp"),
            CreationTimestamp = fields.Time(metadata, "creationTimestamp"),
            Labels = fields.Entries(metadata, "labels", WellKnown.Labels),
            Annotations = fields.Entries(metadata, "annotations", WellKnown.Annotations),
        };
    }

    private static EndpointSpec DecodeEndpoint(FieldReader fields, ManifestMapping endpoint)
    {
        var conditions = fields.Mapping(endpoint, "conditions");
        var hints = fields.Mapping(endpoint, "hints");
        return new EndpointSpec
        {
            Addresses = fields.Texts(endpoint, "addresses"),
            Ready = fields.Boolean(conditions, "ready"),
            Serving = fields.Boolean(conditions, "serving"),
            Terminating = fields.Boolean(conditions, "terminating"),
            NodeName = fields.SharedText(endpoint, "nodeName"),
            ForZones = DecodeNames(fields, hints, "forZones"),
            ForNodes = DecodeNames(fields, hints, "forNodes"),
        };
    }

    private static IReadOnlyList<string>? DecodeNames(FieldReader fields, ManifestMapping parent, string key) =>
        fields.Mappings(parent, key, item => fields.SharedText(item, "name") ?? "");
}
