// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Objects;

namespace EbpfLb.Scenarios.Tests.Differential;

/// <summary>The objects that an API server has at one moment, as they come over the wire. Names are "namespace/name".</summary>
internal sealed class Cluster
{
    public const string NodeName = "n1";

    public SortedDictionary<string, ServiceObject> Services { get; } = new(StringComparer.Ordinal);

    public SortedDictionary<string, EndpointSliceObject> Slices { get; } = new(StringComparer.Ordinal);

    public SortedDictionary<string, ServiceCidrObject> Cidrs { get; } = new(StringComparer.Ordinal);

    /// <summary>What the watch of this node shows: the object of another name would be a server's mistake.</summary>
    public NodeObject? Node { get; set; } = new()
    {
        Metadata = new ObjectMeta { Name = NodeName, Labels = new Dictionary<string, string> { [WellKnown.ZoneLabel] = "za" } },
        Addresses = [new NodeAddress { Type = "InternalIP", Address = "10.10.0.1" }],
        PodCidrs = ["10.244.0.0/24", "fd00:10:244::/64"],
    };
}
