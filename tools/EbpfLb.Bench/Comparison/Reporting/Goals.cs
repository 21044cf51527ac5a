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
internal sealed record Goal(string Text, Verdict Verdict, Summary? Found);

/// <summary>What the project wants to show with ten thousand services, and what a run says of it.</summary>
internal static class Goals
{
    public const int Services = 10_000;

    private const double Flat = 0.1;

    public static IReadOnlyList<Goal> Of(Figures figures) =>
    [
        AtLeast(figures, Measure.PodToClusterIp, Mode.Direct, 0.97, "of the rate of direct"),
        AtLeast(figures, Measure.PodToClusterIp, Mode.Iptables, 4, "times the rate of iptables"),
        AtLeast(figures, Measure.NodePortLocal, Mode.Iptables, 2.5, "times the rate of iptables"),
        AtLeast(figures, Measure.NodePortRemote, Mode.Iptables, 2.5, "times the rate of iptables"),
        Undisturbed(figures),
        AtLeast(figures, Measure.EndpointChange, Mode.Iptables, 50, "times sooner than iptables"),
        AtLeast(figures, Measure.EndpointChange, Mode.Nftables, 50, "times sooner than nftables"),
        IsFlat(figures, Measure.PodToClusterIp),
        IsFlat(figures, Measure.NodePortLocal),
        IsFlat(figures, Measure.NodePortRemote),
    ];

    private static Goal AtLeast(Figures figures, Measure measure, string over, double limit, string unit) => Judge(
        $"{measure.Short}: at least {limit.ToString(System.Globalization.CultureInfo.InvariantCulture)} {unit}",
        figures.Advantage(measure, over, Services),
        found => found.Median >= limit);

    // Within noise: in some round it was no slower.
    private static Goal Undisturbed(Figures figures) => Judge(
        $"{Measure.Bystander.Short}: as without services, within noise",
        figures.Advantage(Measure.Bystander, Mode.Direct, Services),
        found => found.Max >= 1);

    private static Goal IsFlat(Figures figures, Measure measure) => Judge(
        $"{measure.Short}: within {Words.Percent(Flat)} from 1 service to {Words.Count(Services)}",
        figures.Scaling(measure, Mode.Ebpf, 1, Services),
        found => Math.Abs(found.Median - 1) <= Flat);

    private static Goal Judge(string text, Summary? found, Func<Summary, bool> isMet) => new(
        text, found is { } ratio ? isMet(ratio) ? Verdict.Met : Verdict.NotMet : Verdict.NotMeasured, found);
}
