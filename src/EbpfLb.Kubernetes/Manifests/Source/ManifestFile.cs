// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Manifests.Source;

/// <summary>What is known of one file. Touched by the source's own task only.</summary>
internal sealed class ManifestFile(string name)
{
    public string Name { get; } = name;

    /// <summary>As the file looked before it was last read.</summary>
    public FileLook Look { get; set; }

    /// <summary>Tells what was last read, good or bad, from what comes next. Null before the first time.</summary>
    public UInt128? Version { get; set; }

    /// <summary>True once a version was taken; <see cref="Objects"/> are the last such version's.</summary>
    public bool HasGoodVersion { get; set; }

    /// <summary>The last version was not taken.</summary>
    public bool IsBad { get; set; }

    /// <summary>In force. Ordered by key.</summary>
    public IReadOnlyList<ManifestObject> Objects { get; set; } = [];

    /// <summary>Of the last version, taken or not.</summary>
    public IReadOnlyList<ManifestProblem> Problems { get; set; } = [];
}
