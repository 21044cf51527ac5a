// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Manifests.Decoding;
using EbpfLb.Kubernetes.Objects;
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Kubernetes.Api.Wire;

/// <summary>What messages say of bytes from outside.</summary>
internal static class WireText
{
    private const int DefectLength = 500;

    public static string Quote(string? text) => text is null ? "''" : PrintableText.Quote(text);

    /// <summary><c>EndpointSlice default/web-1: what is wrong</c>, on one line.</summary>
    public static string Defect(string kind, ObjectMeta? metadata, string message)
    {
        string name = string.IsNullOrEmpty(metadata?.Name) ? "without a name"
            : string.IsNullOrEmpty(metadata.Namespace) ? metadata.Name
            : $"{metadata.Namespace}/{metadata.Name}";
        string text = $"{kind} {Cut(name)}: {Cut(message)}";
        return PrintableText.Escape(text);
    }

    public static WireException NoList(ApiResource resource, Identity found) => new(
        $"{resource.Name} came as {Quote(found.Kind)} of {Quote(found.ApiVersion)}, not as {ResourceIdentity.OfList(resource.Kind).Kind}; "
        + "is something else than an API server answering?");

    /// <summary>For an object that says of itself that it is another.</summary>
    public static string NoObject(Identity found) => $"is {Quote(found.Kind)} of {Quote(found.ApiVersion)}";

    private static string Cut(string text) => text.Length <= DefectLength ? text : text[..DefectLength] + "...";
}
