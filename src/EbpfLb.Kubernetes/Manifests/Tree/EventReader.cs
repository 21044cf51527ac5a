// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Manifests.Tree;

internal enum EventKind : byte
{
    DocumentStart,
    DocumentEnd,
    MappingStart,
    MappingEnd,
    SequenceStart,
    SequenceEnd,
    Scalar,
    Alias,
}

/// <summary>
/// The events of a file, the same for YAML and JSON, so that limits and rules are written once. The properties describe the event
/// that <see cref="Read"/> stopped at. A key of a mapping is a <see cref="EventKind.Scalar"/> of kind string, or whatever YAML has there.
/// </summary>
internal abstract class EventReader
{
    public EventKind Kind { get; protected set; }

    public int Line { get; protected set; }

    public int Column { get; protected set; }

    /// <summary>Of a scalar.</summary>
    public string Text { get; protected set; } = "";

    /// <summary>Of a scalar.</summary>
    public ScalarKind ScalarKind { get; protected set; }

    /// <summary>The anchor that a node defines or an alias uses; null without one.</summary>
    public string? Anchor { get; protected set; }

    /// <returns>False at the end of the file.</returns>
    /// <exception cref="ManifestSyntaxException">The text is not what the format allows.</exception>
    public abstract bool Read();
}
