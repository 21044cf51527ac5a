// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Xml.Linq;
using EbpfLb.Bench.Comparison.Reporting.Charts;
using EbpfLb.Bench.Comparison.Results;

namespace EbpfLb.Bench.Comparison.Reporting.Html;

/// <summary>How each measure goes with the number of services.</summary>
internal static class ScalingSection
{
    // Over several powers of ten; they are drawn elsewhere.
    private static readonly Measure[] Logarithmic = [Measure.EndpointChange, Measure.Programming];

    public static XElement? Make(Figures figures)
    {
        Measure[] measures = [.. figures.Measures.Except(Logarithmic)];
        return measures.Length == 0 ? null : Markup.Section(
            "scaling", "By number of services",
            Markup.Paragraph(
                "A rule set is walked or searched, so it may cost more the more services there are, even if only one is dialled. "
                + "The line called direct has no service in its way: it is the ceiling of the load generator and of the machine. "
                + "Points are medians, the lines through them end at the least and the greatest round."),
            Markup.Element("div", Markup.Class("charts"), measures.Select(measure => Markup.Figure(
                measure.Short, measure.MoreIsBetter ? "more is better" : "less is better", measure.Meaning,
                Chart(figures, measure, measure.Title).Draw()))));
    }

    public static LineChart Chart(Figures figures, Measure measure, string title)
    {
        ChartLine[] lines = [.. figures.Modes(measure).Select(mode => new ChartLine(mode, Points(figures, measure, mode)))];
        double max = lines.SelectMany(line => line.Points).Max(point => point.High);
        return new LineChart(
            $"{title} by number of services", Describe(figures, measure), "services, logarithmic", measure.Unit,
            Scale.At([.. figures.Counts(measure).Select(count => new Tick(count, Words.Count(count)))]), Scale.FromZero(max), lines);
    }

    private static LinePoint[] Points(Figures figures, Measure measure, string mode) =>
    [
        .. from services in figures.Counts(measure)
           let figure = figures.Of(measure, mode, services)
           where figure is not null
           select new LinePoint(services, figure.Value.Median, figure.Value.Min, figure.Value.Max),
    ];

    private static string Describe(Figures figures, Measure measure) => string.Join("; ", figures.Modes(measure).Select(mode =>
        $"{Words.Name(mode)}: " + string.Join(", ", Points(figures, measure, mode).Select(
            point => $"{Words.Number(point.Y)} with {Words.Services((int)point.X)}")))) + $" ({measure.Unit})";
}
