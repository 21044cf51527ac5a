// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Manifests;

public sealed record ManifestDirectoryOptions
{
    /// <summary>This node. Of all Node objects, only the one of this name is passed on; null passes on none.</summary>
    public string? NodeName { get; init; }

    public ManifestLimits Limits { get; init; } = new();

    /// <summary>Between two looks at every file, for changes that no event tells: targets of links, network file systems.</summary>
    public TimeSpan RescanInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long a file that no event named must look the same before it is read: someone may be writing it still. While there is such
    /// a file, another one that went keeps its objects, up to ten times as long: the new one may be what became of it.
    /// </summary>
    public TimeSpan SettleTime { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Called with the new list after each change of <see cref="ManifestDirectory.CurrentProblems"/>, by the source's own task: it must
    /// be quick and must not throw.
    /// </summary>
    public Action<IReadOnlyList<ManifestProblem>>? ProblemsChanged { get; init; }
}
