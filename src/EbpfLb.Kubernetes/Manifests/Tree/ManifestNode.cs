// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Manifests.Tree;

/// <summary>One value of a YAML or JSON document and where it stands. Through YAML aliases one node can have several parents.</summary>
internal abstract class ManifestNode(int line, int column)
{
    /// <summary>From 1.</summary>
    public int Line { get; } = line;

    /// <summary>From 1.</summary>
    public int Column { get; } = column;

    /// <summary>Nodes from here down, an aliased one counted as often as it is used.</summary>
    public int Weight { get; protected set; } = 1;

    /// <summary>What to call it in a message: "a list", "the number 80".</summary>
    public abstract string Description { get; }

    public bool IsNull => this is ManifestScalar { Kind: ScalarKind.Null };
}
