// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Bench.Comparison.Results;
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Bench.Comparison.Reporting;

internal enum Finding
{
    AsExpected,
    Better,
    Regressed,
    NotInRun,
}

/// <param name="Found">Null if the run has no such figure.</param>
/// <param name="Noise">Within which a difference says nothing.</param>
internal sealed record CheckedAdvantage(ExpectedAdvantage Expected, Summary? Found, double Noise, Finding Finding);

/// <summary>A run held against an expectation.</summary>
internal static class RegressionCheck
{
    /// <summary>Of every ratio: runs differ from one another by more than the rounds of a run do.</summary>
    public const double LeastNoise = 0.05;

    public static IReadOnlyList<CheckedAdvantage> Of(Figures figures, Expectation expectation) =>
        [.. expectation.Advantages.Select(expected => Judge(figures, expected))];

    /// <summary>Prints what differs, with both figures.</summary>
    /// <returns>False if a ratio regressed, or if nothing could be compared.</returns>
    public static bool Report(IReadOnlyList<CheckedAdvantage> checks, TextWriter output)
    {
        foreach (var check in checks.Where(check => check.Finding is Finding.Regressed or Finding.Better).OrderByDescending(Regressed))
            output.WriteLine(Line(check));

        int absent = checks.Count(check => check.Finding == Finding.NotInRun);
        int regressed = checks.Count(Regressed);
        int compared = checks.Count - absent;
        if (compared == 0)
        {
            output.WriteLine("Nothing to compare: the run has none of the ratios that are expected.");
            return false;
        }

        if (absent > 0)
            output.WriteLine($"{absent} expected ratios are not in this run.");
        output.WriteLine(regressed == 0
            ? $"No regression: {compared} ratios were compared."
            : $"{regressed} of {compared} ratios regressed by more than their noise.");
        return regressed == 0;
    }

    private static CheckedAdvantage Judge(Figures figures, ExpectedAdvantage expected)
    {
        if (figures.Advantage(Measure.Named(expected.Measure), expected.Over, expected.Services) is not { } found)
            return new CheckedAdvantage(expected, null, expected.Noise, Finding.NotInRun);

        double noise = Math.Max(LeastNoise, Math.Max(expected.Noise, found.Spread));
        double least = expected.Ratio * (1 - noise);
        double most = expected.Ratio * (1 + noise);
        var finding = found.Median < least ? Finding.Regressed : found.Median > most ? Finding.Better : Finding.AsExpected;
        return new CheckedAdvantage(expected, found, noise, finding);
    }

    private static bool Regressed(CheckedAdvantage check) => check.Finding == Finding.Regressed;

    private static string Line(CheckedAdvantage check)
    {
        var expected = check.Expected;
        var found = check.Found!.Value;
        return $"{(Regressed(check) ? "REGRESSED" : "better   ")} {Measure.Named(expected.Measure).Title}, "
            + $"{Words.Services(expected.Services)}, over {PrintableText.Escape(expected.Over)}: "
            + $"{Words.Number(found.Median)} ({Words.Range(found)}), "
            + $"expected {Words.Number(expected.Ratio)}, noise {Words.Percent(check.Noise)}";
    }
}
