// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Manifests;

/// <summary>What a file may cost. A file beyond a limit is a bad file, not a slow or dead agent.</summary>
public sealed record ManifestLimits
{
    public long MaxFileBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Values in one object, a YAML alias counted as all that it stands for.</summary>
    public int MaxNodesPerObject { get; init; } = 1_000_000;

    /// <summary>Lists and mappings inside each other.</summary>
    public int MaxDepth { get; init; } = 200;
}
