// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Kubernetes.Manifests.Tree;

internal enum ScalarKind : byte
{
    Null,
    Boolean,
    Integer,
    Float,
    String,
}

/// <summary>A leaf. In JSON the notation tells its kind; in YAML the text of a plain scalar does, see <see cref="PlainScalar"/>.</summary>
internal sealed class ManifestScalar(int line, int column, string text, ScalarKind kind) : ManifestNode(line, column)
{
    /// <summary>As written, without quotes and escapes.</summary>
    public string Text { get; } = text;

    public ScalarKind Kind { get; } = kind;

    public override string Description => Kind switch
    {
        ScalarKind.Null => "null",
        ScalarKind.Boolean => $"the boolean {PrintableText.Escape(Text)}",
        ScalarKind.Integer or ScalarKind.Float => $"the number {PrintableText.Escape(Text.Length <= 64 ? Text : Text[..64])}",
        _ => $"the string {PrintableText.Quote(Text)}",
    };
}
