// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Manifests.Decoding;
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Kubernetes.Api.Wire.Json;

internal static class JsonStatus
{
    /// <exception cref="WireException">The text is no status.</exception>
    public static ApiStatus Read(ReadOnlyMemory<byte> text)
    {
        if (JsonTree.ReadMapping(text, out string defect) is not { } root)
            throw new WireException($"a status cannot be read: {defect}");

        if (Identity.Of(root) is { } identity && identity != ResourceIdentity.Status)
            throw new WireException($"a status is expected, not {PrintableText.Quote(identity.Kind)}");

        var fields = new FieldReader(root, new TextPool(), new ProblemList());
        int? seconds = fields.Integer(fields.Mapping(root, "details"), "retryAfterSeconds");
        return new ApiStatus(fields.Integer(root, "code") ?? 0, fields.Text(root, "reason") ?? "", fields.Text(root, "message") ?? "",
            seconds > 0 ? seconds : null);
    }
}
