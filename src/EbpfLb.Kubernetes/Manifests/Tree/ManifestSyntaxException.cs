// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Manifests.Tree;

/// <summary>The text is not a document that can be read further. Never leaves <see cref="ManifestParser"/>.</summary>
internal sealed class ManifestSyntaxException(int line, string message) : Exception(message)
{
    public int Line { get; } = line;
}
