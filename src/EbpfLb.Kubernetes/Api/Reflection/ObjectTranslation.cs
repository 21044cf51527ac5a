// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Api.Wire;
using EbpfLb.Kubernetes.Objects;
using EbpfLb.Kubernetes.Translation;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Kubernetes.Api.Reflection;

/// <summary>From what the API has to what the model has.</summary>
/// <param name="server">Where the API server is, when that is an address.</param>
internal sealed class ObjectTranslation(ApiResource resource, string nodeName, Address? server)
{
    /// <returns>False for an object that has no name, or is not of this node.</returns>
    public bool TryGetName(ObjectMeta? metadata, out ObjectName name)
    {
        name = default;
        if (string.IsNullOrEmpty(metadata?.Name))
            return false;

        if (resource.Kind is ResourceKind.Service or ResourceKind.EndpointSlice)
        {
            string itsNamespace = string.IsNullOrEmpty(metadata.Namespace) ? FieldRules.DefaultNamespace : metadata.Namespace;
            name = new ObjectName(itsNamespace, metadata.Name);
            return true;
        }

        name = new ObjectName("", metadata.Name);
        return resource.Kind != ResourceKind.Node || metadata.Name == nodeName;
    }

    /// <returns>As far as it is right. Null when nothing of it is served, or it is of another kind.</returns>
    public object? Translate(ApiObject item, ProblemList problems)
    {
        switch (resource.Kind)
        {
            case ResourceKind.Service when item.Service is { } service:
                var model = ServiceTranslation.Translate(service, problems);
                if (model is not null && ServerBehindService.Find(server, model) is { } reason)
                    problems.Ignored("spec.clusterIPs", reason);
                return model;
            case ResourceKind.EndpointSlice when item.Slice is { } slice:
                return EndpointSliceTranslation.Translate(slice, problems);
            case ResourceKind.Node when item.Node is { } node:
                return NodeTranslation.Translate(node, problems);
            case ResourceKind.ServiceCidr when item.ServiceCidr is { } cidr:
                return ServiceCidrTranslation.Translate(cidr, problems);
            default:
                problems.Invalid("kind", $"is not {ObjectText.KindName(resource.Kind)}");
                return null;
        }
    }
}
