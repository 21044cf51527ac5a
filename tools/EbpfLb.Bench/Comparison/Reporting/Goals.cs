// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Bench.Comparison.Results;

namespace EbpfLb.Bench.Comparison.Reporting;

internal enum Verdict
{
    Met,
    NotMet,
    NotMeasured,
}

/// <param name="Text">What is to be reached.</param>
/// <param name="Found">The ratio that decides; null if it was not measured.</param>
/// <param name="Aside">What else the run says of it, and does not decide.</param>
internal sealed record Goal(string Text, Verdict Verdict, Summary? Found, string? Aside = null);

/// <summary>What the project wants to show with ten thousand services, and what a run says of it.</summary>
internal static class Goals
{
    public const int Services = 10_000;

    private const double Flat = 0.1;
    private const double MostDisturbance = 0.05;

    public static IReadOnlyList<Goal> Of(Figures figures) =>
    [
        AtLeast(figures, Measure.PodToClusterIp, Mode.Direct, 0.97, "of the rate of direct"),
        AtLeast(figures, Measure.PodToClusterIp, Mode.Iptables, 4, $"times the rate of {Words.Name(Mode.Iptables)}"),
        AtLeast(figures, Measure.NodePortLocal, Mode.Iptables, 2.5, $"times the rate of {Words.Name(Mode.Iptables)}"),
        AtLeast(figures, Measure.NodePortRemote, Mode.Iptables, 2.5, $"times the rate of {Words.Name(Mode.Iptables)}"),
        Undisturbed(figures),
        AtLeast(figures, Measure.EndpointChange, Mode.Iptables, 50, $"times sooner than {Words.Name(Mode.Iptables)}"),
        AtLeast(figures, Measure.EndpointChange, Mode.Nftables, 50, "times sooner than nftables"),
        IsFlat(figures, Measure.PodToClusterIp),
        IsFlat(figures, Measure.NodePortLocal),
        IsFlat(figures, Measure.NodePortRemote),
    ];

    // Distributions ship the nf_tables variant, so it decides; the other is told beside it.
    private static Goal AtLeast(Figures figures, Measure measure, string over, double limit, string unit) => Judge(
        $"{measure.Short}: at least {limit.ToString(System.Globalization.CultureInfo.InvariantCulture)} {unit}",
        figures.Advantage(measure, over, Services),
        found => found.Median >= limit,
        over == Mode.Iptables && figures.Advantage(measure, Mode.IptablesLegacy, Services) is { } legacy
            ? $"{Words.Name(Mode.IptablesLegacy)}: {Words.Marked(legacy)} ({Words.Range(legacy)})"
            : null);

    // Noise is what direct alone differs by between rounds, as far as that is little.
    private static Goal Undisturbed(Figures figures)
    {
        double noise = Math.Min(figures.Of(Measure.Bystander, Mode.Direct, Services)?.Spread ?? 0, MostDisturbance);
        return Judge(
            $"{Measure.Bystander.Short}: as without services, within noise (at most {Words.Percent(MostDisturbance)})",
            figures.Advantage(Measure.Bystander, Mode.Direct, Services),
            found => found.Median >= 1 - noise,
            MedianDurations(figures));
    }

    private static string? MedianDurations(Figures figures) =>
        figures.Durations(Measure.Bystander, Mode.Ebpf, Services) is { } own
        && figures.Durations(Measure.Bystander, Mode.Direct, Services) is { } direct
            ? $"p50 {Words.Microseconds(own.P50)}, of direct {Words.Microseconds(direct.P50)}: {Words.Number(own.P50 / direct.P50)} times"
            : null;

    // Beside direct in its round: the machine itself is not the same at both numbers.
    private static Goal IsFlat(Figures figures, Measure measure) => Judge(
        $"{measure.Short}: beside direct, with {Words.Count(Services)} within {Words.Percent(Flat)} of with 1",
        figures.Scaling(measure, Mode.Direct, 1, Services),
        found => Math.Abs(found.Median - 1) <= Flat);

    private static Goal Judge(string text, Summary? found, Func<Summary, bool> isMet, string? aside = null) => new(
        text, found is { } ratio ? isMet(ratio) ? Verdict.Met : Verdict.NotMet : Verdict.NotMeasured, found, found is null ? null : aside);
}
