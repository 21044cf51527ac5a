// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Bench.Comparison.Results;
using EbpfLb.Bench.Packets;

namespace EbpfLb.Bench.Comparison.Rules;

/// <summary>
/// iptables has two back ends in the kernel, which differ in the cost of a rule and of loading them: each is a mode of its own, so the
/// program behind a name has to be the one that is meant.
/// </summary>
internal static class IptablesVariant
{
    public const string LegacyRestore = "iptables-legacy-restore";

    /// <summary>Why this mode cannot be measured here; null if it can, or is no iptables mode.</summary>
    /// <param name="restore">The iptables-restore of the mode that is not the legacy one.</param>
    public static string? WhyNot(string mode, string restore, CancellationToken stopping) => mode switch
    {
        Mode.Iptables => WhyNotVariant(restore, "nf_tables", stopping),
        Mode.IptablesLegacy => WhyNotVariant(LegacyRestore, "legacy", stopping),
        _ => null,
    };

    private static string? WhyNotVariant(string restore, string variant, CancellationToken stopping)
    {
        try
        {
            string version = Command.Run(restore, ["--version"], stopping).Trim();
            return version.Contains($"({variant})", StringComparison.Ordinal)
                ? null
                : $"{restore} says '{version}', which is not the {variant} variant";
        }
        catch (BenchException exception)
        {
            return $"the {variant} variant of iptables is not there: {exception.Message}";
        }
    }
}
