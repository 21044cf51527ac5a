// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Manifests.Tree;

namespace EbpfLb.Kubernetes.Manifests.Decoding;

/// <summary>What a document or an item of a list says it is.</summary>
internal readonly record struct Identity(string ApiVersion, string Kind)
{
    private const string ListSuffix = "List";

    /// <summary>A list of objects of any kind, or of a kind that is served. Other lists are kinds like any other.</summary>
    public bool IsList => Kind is "List" or "ServiceList" or "EndpointSliceList" or "NodeList" or "ServiceCIDRList";

    /// <summary>Of items that leave it to their list, as the API's own lists do; null when the list does not say either.</summary>
    public Identity? OfItems => Kind == ListSuffix ? null : new Identity(ApiVersion, Kind[..^ListSuffix.Length]);

    /// <summary>Null when one of the two is missing or is not text.</summary>
    public static Identity? Of(ManifestMapping mapping) =>
        mapping.Find("apiVersion") is ManifestScalar { Kind: ScalarKind.String, Text.Length: > 0 } version
        && mapping.Find("kind") is ManifestScalar { Kind: ScalarKind.String, Text.Length: > 0 } kind
            ? new Identity(version.Text, kind.Text)
            : null;
}
