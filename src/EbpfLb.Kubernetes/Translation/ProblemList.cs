// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Translation;

/// <summary>
/// The problems of one object. Keeps the first <see cref="Limit"/> of each severity and counts the rest: an object can be wrong a
/// hundred thousand times over, and nobody reads further.
/// </summary>
public sealed class ProblemList
{
    public const int Limit = 20;

    private readonly List<Problem> _kept = [];

    public IReadOnlyList<Problem> Kept => _kept;

    /// <summary>All of them, kept or not.</summary>
    public int InvalidCount { get; private set; }

    /// <summary>All of them, kept or not.</summary>
    public int IgnoredCount { get; private set; }

    public void Invalid(string fieldPath, string message)
    {
        if (InvalidCount++ < Limit)
            _kept.Add(new Problem(Severity.Invalid, fieldPath, message));
    }

    public void Ignored(string fieldPath, string message)
    {
        if (IgnoredCount++ < Limit)
            _kept.Add(new Problem(Severity.Ignored, fieldPath, message));
    }
}
