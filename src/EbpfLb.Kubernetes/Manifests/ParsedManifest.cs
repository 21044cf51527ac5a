// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Manifests;

/// <summary>What a file says. Taken whole when it is valid, otherwise not at all.</summary>
/// <param name="Objects">Ordered by key. When the file is not valid: those that could be read, and only as far as they are right.</param>
/// <param name="Problems">Invalid ones first, then by line. The first <see cref="ProblemLimit"/> of each severity.</param>
/// <param name="InvalidCount">All of them, kept or not.</param>
/// <param name="IgnoredCount">All of them, kept or not.</param>
public sealed record ParsedManifest(
    IReadOnlyList<ManifestObject> Objects, IReadOnlyList<ManifestProblem> Problems, int InvalidCount, int IgnoredCount)
{
    public const int ProblemLimit = 20;

    public bool IsValid => InvalidCount == 0;
}
