// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Xml.Linq;
using EbpfLb.Bench.Comparison.Results;

namespace EbpfLb.Bench.Comparison.Reporting.Html;

/// <summary>What the generator itself took, and what it lost.</summary>
internal static class LoadSection
{
    public static XElement? Make(Figures figures)
    {
        XElement[] shares = [.. Measure.All.Select(measure => Shares(figures, measure)).OfType<XElement>()];
        XElement[] losses = [.. Loss.Of(figures).Select(loss => Markup.Element("li", loss.ToString()))];
        if (shares.Length + losses.Length == 0)
            return null;

        return Markup.Section(
            "load", "The load generator",
            Markup.Paragraph(
                "It has one thread. What it took of one processor is below, as medians with the most services. The kernel's work for its "
                + "packets while it sends them is in it, through the node and often to the server's socket: near 100 %, generator and path "
                + "together are the limit, and a faster data plane would show less than it gains."),
            Markup.Element("ul", shares),
            Markup.Paragraph(losses.Length == 0
                ? "No figure has more than one of a thousand operations lost or failed."
                : "These figures have more than one of a thousand operations lost or failed, which took longer than the generator waits:"),
            losses.Length == 0 ? null : Markup.Element("ul", losses));
    }

    private static XElement? Shares(Figures figures, Measure measure)
    {
        Series[] told = [.. figures.Run.Series.Where(series => series.Measure == measure.Id && series.GeneratorShare is { Count: > 0 })];
        if (told.Length == 0)
            return null;

        int services = told.Max(series => series.Services);
        var shares = told.Where(series => series.Services == services)
            .Select(series => $"{Words.Name(series.Mode)} {Words.Percent(Math.Round(Summary.Of(series.GeneratorShare!).Median, 2))}");
        return Markup.Element("li", $"{measure.Short}: {string.Join(", ", shares)}");
    }
}
