// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Manifests;
using EbpfLb.Kubernetes.Manifests.Tree;

namespace EbpfLb.Kubernetes.Api.Wire.Json;

internal static class JsonTree
{
    private static readonly ManifestLimits Limits = new() { MaxDepth = WireLimits.MaxDepth };

    /// <returns>Null when the value is no mapping; <paramref name="defect"/> says why then.</returns>
    public static ManifestMapping? ReadMapping(ReadOnlyMemory<byte> value, out string defect)
    {
        var root = ReadNode(value, out defect);
        if (root is null or ManifestMapping)
            return (ManifestMapping?)root;

        defect = $"must be a mapping, not {root.Description}";
        return null;
    }

    /// <returns>Null when the value is no text.</returns>
    public static string? ReadText(ReadOnlyMemory<byte> value) =>
        ReadNode(value, out _) is ManifestScalar { Kind: ScalarKind.String } scalar ? scalar.Text : null;

    private static ManifestNode? ReadNode(ReadOnlyMemory<byte> value, out string defect)
    {
        try
        {
            defect = "is missing";
            return new TreeReader(new JsonEventReader(value, Limits.MaxDepth), Limits).ReadDocument(static (_, _) => false);
        }
        catch (ManifestSyntaxException error)
        {
            defect = error.Message;
            return null;
        }
    }
}
