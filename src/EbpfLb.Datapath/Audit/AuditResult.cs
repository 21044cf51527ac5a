// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Audit;

/// <param name="Divergences">What was not as it had been written.</param>
/// <param name="Left">Those of them that could not be written again, each with why.</param>
public sealed record AuditResult(IReadOnlyList<Divergence> Divergences, IReadOnlyList<(Divergence Divergence, string Cause)> Left)
{
    public static AuditResult Clean { get; } = new([], []);

    public int Repaired => Divergences.Count - Left.Count;
}
