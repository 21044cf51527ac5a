// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Bench.Comparison.Reporting.Html;

namespace EbpfLb.Bench.Comparison.Reporting;

/// <summary>Everything that is made from a run.</summary>
internal static class ComparisonOutput
{
    public const string ResultsName = "results.json";

    /// <param name="directory">Made if it is not there; files of an earlier run are replaced.</param>
    public static void Write(Results.Comparison run, string directory, TextWriter terminal)
    {
        // First what cannot be made again.
        Directory.CreateDirectory(directory);
        ResultsFile.Write(run, Path.Combine(directory, ResultsName));

        var figures = new Figures(run);
        File.WriteAllText(Path.Combine(directory, "report.html"), ReportPage.Make(figures));
        File.WriteAllText(Path.Combine(directory, "summary.svg"), SummarySvg.Make(figures));
        File.WriteAllText(Path.Combine(directory, "summary.md"), MarkdownTable.Make(figures));
        TerminalTable.Write(figures, terminal);
    }
}
