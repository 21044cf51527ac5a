// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Bench.Comparison.Reporting;

/// <summary>What can be made of a run that is over. Nothing here measures, or takes root.</summary>
internal static class ReportVerbs
{
    public const string Usage =
        """
                EbpfLb.Bench --compare-report RESULTS_JSON DIRECTORY        report.html, summary.svg and summary.md
                EbpfLb.Bench --compare-check RESULTS_JSON [EXPECTATION]     fails if a ratio regressed
                EbpfLb.Bench --compare-expect RESULTS_JSON [EXPECTATION]    a run becomes what is expected
        """;

    public static bool Has(IReadOnlyList<string> args) =>
        args.Count > 0 && args[0] is "--compare-report" or "--compare-check" or "--compare-expect";

    /// <returns>The exit status: 0 done, 1 regressed or not possible, 2 wrong usage.</returns>
    public static int Run(IReadOnlyList<string> args, TextWriter output, TextWriter errors)
    {
        if (args.Count < 2 || args.Count > 3 || (args.Count < 3 && args[0] == "--compare-report"))
        {
            errors.WriteLine("usage:\n" + Usage);
            return 2;
        }

        try
        {
            return Run(args[0], ResultsFile.Read(args[1]), args.Count > 2 ? args[2] : ExpectationFile.Committed, output);
        }
        catch (Exception exception) when (exception is BenchException or IOException or UnauthorizedAccessException)
        {
            errors.WriteLine(PrintableText.Escape(exception.Message));
            return 1;
        }
    }

    private static int Run(string verb, Results.Comparison run, string target, TextWriter output)
    {
        switch (verb)
        {
            case "--compare-report":
                ComparisonOutput.Write(run, target, output);
                return 0;
            case "--compare-check":
                return RegressionCheck.Report(RegressionCheck.Of(new Figures(run), ExpectationFile.Read(target)), output) ? 0 : 1;
            default:
                ExpectationFile.Write(Expectation.Of(new Figures(run)), target);
                return 0;
        }
    }
}
