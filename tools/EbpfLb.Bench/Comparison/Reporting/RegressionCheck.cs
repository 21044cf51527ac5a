// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Bench.Comparison.Results;
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Bench.Comparison.Reporting;

internal enum Finding
{
    AsExpected,
    Better,
    Regressed,

    /// <summary>The rounds differ by so much that the ratio may have regressed or not.</summary>
    TooNoisy,

    /// <summary>The run took the measure, and our data plane has no figure.</summary>
    Failed,
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

    /// <summary>With more, a regression that matters would pass.</summary>
    public const double MostNoise = 0.3;

    public static IReadOnlyList<CheckedAdvantage> Of(Figures figures, Expectation expectation) =>
        [.. expectation.Advantages.Select(expected => Judge(figures, expected))];

    /// <summary>Prints what differs, with both figures.</summary>
    /// <returns>False if a ratio regressed, is too noisy or lacks a figure of ours, or if nothing could be compared.</returns>
    public static bool Report(IReadOnlyList<CheckedAdvantage> checks, TextWriter output)
    {
        foreach (var check in checks.Where(check => check.Finding is not (Finding.AsExpected or Finding.NotInRun)).OrderByDescending(IsBad))
            output.WriteLine(Line(check));

        int absent = checks.Count(check => check.Finding == Finding.NotInRun);
        int regressed = Count(Finding.Regressed);
        int tooNoisy = Count(Finding.TooNoisy);
        int failed = Count(Finding.Failed);
        int compared = checks.Count - absent - failed;
        if (absent > 0)
            output.WriteLine($"{absent} expected ratios are not in this run.");
        if (failed > 0)
            output.WriteLine($"{failed} expected ratios have no figure of {Words.Name(Mode.Ebpf)}, though the run took the measure.");
        if (compared == 0)
        {
            output.WriteLine("Nothing to compare: the run has none of the ratios that are expected.");
            return false;
        }

        if (tooNoisy > 0)
            output.WriteLine($"{tooNoisy} of {compared} ratios are too noisy to judge: measure again while the machine does nothing else.");
        output.WriteLine(regressed == 0
            ? $"No regression{(tooNoisy == 0 ? "" : " among the others")}: {compared - tooNoisy} ratios were compared."
            : $"{regressed} of {compared} ratios regressed by more than their noise.");
        return !checks.Any(IsBad);

        int Count(Finding finding) => checks.Count(check => check.Finding == finding);
    }

    private static CheckedAdvantage Judge(Figures figures, ExpectedAdvantage expected)
    {
        var measure = Measure.Named(expected.Measure);
        if (figures.Advantage(measure, expected.Over, expected.Services) is not { } found)
        {
            bool isOurs = figures.Counts(measure).Contains(expected.Services) && figures.Of(measure, Mode.Ebpf, expected.Services) is null;
            return new CheckedAdvantage(expected, null, expected.Noise, isOurs ? Finding.Failed : Finding.NotInRun);
        }

        double differs = Math.Max(LeastNoise, Math.Max(expected.Noise, found.Spread));
        double noise = Math.Min(differs, MostNoise);
        double least = expected.Ratio * (1 - noise);
        double most = expected.Ratio * (1 + noise);
        var finding = differs > MostNoise && found.Min < least && found.Max >= least ? Finding.TooNoisy
            : found.Median < least ? Finding.Regressed
            : found.Median > most ? Finding.Better
            : Finding.AsExpected;
        return new CheckedAdvantage(expected, found, noise, finding);
    }

    private static bool IsBad(CheckedAdvantage check) => check.Finding is Finding.Regressed or Finding.TooNoisy or Finding.Failed;

    private static string Line(CheckedAdvantage check)
    {
        var expected = check.Expected;
        string finding = check.Finding switch
        {
            Finding.Regressed => "REGRESSED",
            Finding.TooNoisy => "TOO NOISY",
            Finding.Failed => "FAILED   ",
            _ => "better   ",
        };
        string found = check.Found is { } ratio ? $"{Words.Number(ratio.Median)} ({Words.Range(ratio)})" : "no figure";
        return $"{finding} {Measure.Named(expected.Measure).Title}, "
            + $"{Words.Services(expected.Services)}, over {PrintableText.Escape(expected.Over)}: "
            + $"{found}, expected {Words.Number(expected.Ratio)}, noise {Words.Percent(check.Noise)}";
    }
}
