// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Xml.Linq;
using EbpfLb.Bench.Comparison.Results;

namespace EbpfLb.Bench.Comparison.Reporting.Html;

/// <summary>Every figure, with its range.</summary>
internal static class TableSection
{
    public static XElement Make(Figures figures) => Markup.Section(
        "figures", "All figures",
        Markup.Paragraph(
            "The median, and below it the least and the greatest round. vs: how many times better EbpfLb is, by round. "
            + $"{Words.NoisyMeans}."),
        figures.Measures.Select(measure => Rounds(figures, measure)).ToArray<object>(),
        figures.Run.Distributions.Any(durations => durations.Count > 0) ? Markup.Element("h3", "Durations of single operations") : null,
        Measure.All.Select(measure => Durations(figures, measure)).ToArray<object?>());

    private static XElement Rounds(Figures figures, Measure measure)
    {
        var modes = figures.Modes(measure);
        string[] others = [.. modes.Where(mode => mode != Mode.Ebpf && modes.Contains(Mode.Ebpf))];
        return Markup.Scrolling(measure.Title, Markup.Element("table",
            Markup.Element("caption",
                Markup.Element("b", measure.Title), " ", Markup.Element("span", $"{measure.Unit}. {measure.Meaning}")),
            Markup.Element("thead", Row("th", ["services", .. modes.Select(Words.Name), .. others.Select(mode => $"vs {mode}")])),
            Markup.Element("tbody", figures.Counts(measure).Select(services => Markup.Element("tr",
                Markup.Element("th", new XAttribute("scope", "row"), Words.Count(services)),
                modes.Select(mode => Cell(figures.Of(measure, mode, services), mode == Mode.Ebpf)).ToArray<object>(),
                others.Select(mode => Cell(figures.Advantage(measure, mode, services), own: false)).ToArray<object>())))));
    }

    private static XElement Cell(Summary? figure, bool own) => figure is { } known
        ? Markup.Element("td", own ? Markup.Class("own") : null, Words.Marked(known), Markup.Element("small", Words.Range(known)))
        : Markup.Element("td", "\u2013");

    private static XElement? Durations(Figures figures, Measure measure)
    {
        Distribution[] all =
        [
            .. figures.Run.Distributions.Where(durations => durations.Measure == measure.Id && durations.Count > 0)
                .OrderBy(durations => durations.Services).ThenBy(durations => Mode.All.ToList().IndexOf(durations.Mode)),
        ];
        return all.Length == 0 ? null : Markup.Scrolling(measure.Title, Markup.Element("table",
            Markup.Element("caption", Markup.Element("b", measure.Title)),
            Markup.Element("thead", Row("th", ["services", "mode", "p50", "p99", "p99.9", "operations"])),
            Markup.Element("tbody", all.Select(durations => Row("td",
            [
                Words.Count(durations.Services), Words.Name(durations.Mode), Words.Microseconds(durations.P50),
                Words.Microseconds(durations.P99), Words.Microseconds(durations.P999),
                durations.Count.ToString("#,##0", CultureInfo.InvariantCulture),
            ])))));
    }

    private static XElement Row(string cell, IEnumerable<string> texts) =>
        Markup.Element("tr", texts.Select(text => Markup.Element(cell, text)));
}
