// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;

namespace EbpfLb.Datapath.Inspection;

/// <summary>What the agent that wrote last found changed behind its back.</summary>
/// <param name="EndedAgo">Of the last audit; null before the first.</param>
/// <param name="Differed">Entries of maps, at the last one.</param>
/// <param name="Left">Those of them that could not be repaired.</param>
/// <param name="Repaired">Since its start.</param>
/// <param name="PutBack">Pins and programs at socket hooks, since its start.</param>
public sealed record AuditView(TimeSpan? EndedAgo, ulong Runs, uint Differed, uint Left, ulong Repaired, ulong PutBack)
{
    internal static AuditView From(in AuditValue value, ulong nowNs) => new(
        value.EndedNs == 0 ? null : TimeSpan.FromTicks(nowNs > value.EndedNs ? (long)((nowNs - value.EndedNs) / 100) : 0),
        value.Runs, value.Differed, value.Left, value.Repaired, value.PutBack);
}
