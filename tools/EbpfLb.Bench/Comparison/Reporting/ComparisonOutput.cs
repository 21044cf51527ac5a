// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
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
        TerminalTable.Write(figures, terminal);
    }
}
