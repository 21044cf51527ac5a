// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Manifests.Decoding;
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Kubernetes.Api.Wire;

/// <summary>What messages say of bytes from outside.</summary>
internal static class WireText
{
    private const int MaxLength = 500;

    /// <summary>Fit for one line, and not longer than anybody reads.</summary>
    public static string Escape(string text) =>
        PrintableText.Escape(text.Length <= MaxLength ? text : text[..MaxLength] + "...");

    public static WireException TooManyDefects(WireDefect first) =>
        new($"more than {WireLimits.MaxDefects} objects of one list cannot be read; the first: {first.Message}");

    public static WireException NoList(ApiResource resource, Identity found) => new(
        $"{resource.Name} came as {PrintableText.Quote(found.Kind)} of {PrintableText.Quote(found.ApiVersion)}, "
        + $"not as {ResourceIdentity.OfList(resource.Kind).Kind}; is something else than an API server answering?");

    /// <summary>For an object that says of itself that it is another.</summary>
    public static string NoObject(Identity found) => $"is {PrintableText.Quote(found.Kind)} of {PrintableText.Quote(found.ApiVersion)}";
}
