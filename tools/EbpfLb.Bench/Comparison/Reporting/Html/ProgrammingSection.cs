// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Xml.Linq;
using EbpfLb.Bench.Comparison.Reporting.Charts;
using EbpfLb.Bench.Comparison.Results;

namespace EbpfLb.Bench.Comparison.Reporting.Html;

/// <summary>How long it takes until the kernel has what the API says.</summary>
internal static class ProgrammingSection
{
    public static XElement? Make(Figures figures)
    {
        Measure[] measures = [.. figures.Measures.Intersect([Measure.EndpointChange, Measure.Programming])];
        return measures.Length == 0 ? null : Markup.Section(
            "programming", "Until a change is served",
            Markup.Paragraph("Each step to the right of the axis is ten times as long as the one before. Less is better."),
            Markup.Element("div", Markup.Class("charts wide"), measures.Select(measure => Markup.Figure(
                measure.Short, "logarithmic", measure.Meaning, Chart(figures, measure)))));
    }

    private static XElement Chart(Figures figures, Measure measure)
    {
        BarGroup[] groups =
        [
            .. from services in figures.Counts(measure)
               let ofModes = figures.Modes(measure).Select(mode => (mode, Figure: figures.Of(measure, mode, services)))
                   .Where(pair => pair.Figure is not null)
                   .Select(pair => new Bar(pair.mode, pair.Figure!.Value, Text(pair.Figure.Value)))
                   .ToArray()
               where ofModes.Length > 0
               select new BarGroup(Words.Services(services), ofModes),
        ];
        var bars = groups.SelectMany(group => group.Bars).ToArray();
        string description = string.Join("; ", groups.Select(group => $"{group.Label}: "
            + string.Join(", ", group.Bars.Select(bar => $"{Words.Name(bar.Mode)} {bar.Text}"))));
        return new BarChart(
            measure.Title, description, "duration, logarithmic",
            Scale.Logarithmic(bars.Min(bar => bar.Figure.Min), bars.Max(bar => bar.Figure.Max), Words.RoundMilliseconds), groups).Draw();
    }

    private static string Text(Summary figure) => Words.Milliseconds(figure.Median) + (figure.IsNoisy ? Words.NoisyMark : "");
}
