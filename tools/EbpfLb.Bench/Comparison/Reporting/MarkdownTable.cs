// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text;
using EbpfLb.Bench.Comparison.Results;
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Bench.Comparison.Reporting;

/// <summary>summary.md: the medians and ratios with the most services, and a sentence on what each means.</summary>
internal static class MarkdownTable
{
    private static readonly string[] Others = [Mode.Iptables, Mode.IptablesLegacy, Mode.Nftables, Mode.Direct];

    public static string Make(Figures figures)
    {
        int services = figures.Measures.SelectMany(figures.Counts).DefaultIfEmpty().Max();
        var text = new StringBuilder();
        text.Append("With ").Append(Words.Services(services))
            .Append(". Times better: EbpfLb beside that mode, the median of the ratios of the rounds (least to greatest); ")
            .Append("below 1 it is worse. ")
            .Append(Words.NoisyMeans).Append(".\n\n");
        string[] ratios = [.. Others.Select(mode => $"times better than {Words.Name(mode)}")];
        AppendRow(text, ["", .. Mode.All.Select(Words.Name), .. ratios, "what it means"]);
        AppendRow(text, ["---", .. Mode.All.Select(_ => "--:"), .. Others.Select(_ => "--:"), "---"]);
        foreach (var measure in figures.Measures.Where(measure => figures.Counts(measure).Contains(services)))
        {
            AppendRow(text,
            [
                $"{measure.Title} ({measure.Unit})",
                .. Mode.All.Select(mode => figures.Of(measure, mode, services) is { } figure ? Words.Marked(figure) : "-"),
                .. Others.Select(mode => figures.Advantage(measure, mode, services) is { } ratio
                    ? $"{Words.Marked(ratio)} ({Words.Range(ratio)})" : "-"),
                measure.Meaning,
            ]);
        }

        return text.ToString();
    }

    private static void AppendRow(StringBuilder text, IEnumerable<string> cells) =>
        text.Append("| ").AppendJoin(" | ", cells.Select(Escape)).Append(" |\n");

    private static string Escape(string cell) => PrintableText.Escape(cell).Replace("|", @"\|", StringComparison.Ordinal)
        .Replace("~", @"\~", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal);
}
