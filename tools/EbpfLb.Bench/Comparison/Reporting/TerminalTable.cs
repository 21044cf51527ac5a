// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Bench.Comparison.Results;
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Bench.Comparison.Reporting;

/// <summary>A run on a terminal: medians side by side, what they are worth, and whether the goals are met.</summary>
internal static class TerminalTable
{
    private const int CountWidth = 10;
    private const int LeastWidth = 9;

    public static void Write(Figures figures, TextWriter output)
    {
        foreach (var measure in figures.Measures)
            WriteMeasure(figures, measure, output);

        output.WriteLine("Medians. vs: how many times better EbpfLb is, by round; below 1 it is worse.");
        if (AnyNoisy(figures))
            output.WriteLine(Words.NoisyMeans + ".");
        WriteGoals(figures, output);
        WriteLosses(figures, output);
        WriteOmissions(figures, output);
    }

    private static void WriteMeasure(Figures figures, Measure measure, TextWriter output)
    {
        var modes = figures.Modes(measure);
        string[] others = [.. modes.Where(mode => mode != Mode.Ebpf && modes.Contains(Mode.Ebpf))];
        output.WriteLine($"{measure.Title} ({measure.Unit}, {(measure.MoreIsBetter ? "more" : "less")} is better)");
        output.WriteLine("services".PadLeft(CountWidth)
            + string.Concat(modes.Select(mode => Heading(Words.Name(mode), mode)))
            + string.Concat(others.Select(mode => Heading(Versus(mode), mode))).TrimEnd());
        foreach (int services in figures.Counts(measure))
        {
            output.WriteLine((Words.Count(services).PadLeft(CountWidth)
                + string.Concat(modes.Select(mode => Cell(figures.Of(measure, mode, services), Width(mode))))
                + string.Concat(others.Select(mode => Cell(figures.Advantage(measure, mode, services), Width(mode))))).TrimEnd());
        }

        output.WriteLine();
    }

    // The mark has a column of its own, so that digits stand under one another.
    private static string Cell(Summary? figure, int width) => figure is { } known
        ? "  " + Words.Number(known.Median).PadLeft(width - 1) + (known.IsNoisy ? Words.NoisyMark : " ")
        : "  " + "-".PadLeft(width - 1) + " ";

    private static string Heading(string text, string mode) => "  " + text.PadLeft(Width(mode) - 1) + " ";

    private static string Versus(string mode) => $"vs {mode}";

    private static int Width(string mode) => Math.Max(LeastWidth, Math.Max(Words.Name(mode).Length, Versus(mode).Length) + 1);

    private static bool AnyNoisy(Figures figures) => figures.Measures.Any(measure => figures.Counts(measure).Any(services =>
        Mode.All.Any(mode => figures.Of(measure, mode, services) is { IsNoisy: true }
            || figures.Advantage(measure, mode, services) is { IsNoisy: true })));

    private static void WriteGoals(Figures figures, TextWriter output)
    {
        output.WriteLine();
        output.WriteLine($"Goals, with {Words.Services(Goals.Services)}");
        foreach (var goal in Goals.Of(figures))
        {
            string found = goal.Found is { } ratio ? $"{Words.Marked(ratio)} ({Words.Range(ratio)})" : "";
            if (goal.Aside is { } aside)
                found += $"; {aside}";
            output.WriteLine($"  {Words.Of(goal.Verdict),-14}{goal.Text,-74} {found}".TrimEnd());
        }
    }

    private static void WriteLosses(Figures figures, TextWriter output)
    {
        var losses = Loss.Of(figures).ToArray();
        if (losses.Length == 0)
            return;

        output.WriteLine();
        output.WriteLine("Lost or failed");
        foreach (var loss in losses)
            output.WriteLine($"  {loss}");
    }

    private static void WriteOmissions(Figures figures, TextWriter output)
    {
        if (figures.Run.NotMeasured.Count == 0)
            return;

        output.WriteLine();
        output.WriteLine("Not measured");
        foreach (var omission in OmissionGroup.Of(figures.Run))
            output.WriteLine($"  {PrintableText.Escape($"{omission.What}, {omission.Modes}, {omission.Services}: {omission.Reason}")}");
    }
}
