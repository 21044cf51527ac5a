// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
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
        figures.Measures.SelectMany(measure => Rounds(figures, measure)).ToArray<object>(),
        figures.Run.Distributions.Any(durations => durations.Count > 0) ? Markup.Element("h3", "Durations of single operations") : null,
        Measure.All.SelectMany(measure => Durations(figures, measure)).ToArray<object>());

    private static IEnumerable<XElement> Rounds(Figures figures, Measure measure)
    {
        var modes = figures.Modes(measure);
        string[] others = [.. modes.Where(mode => mode != Mode.Ebpf && modes.Contains(Mode.Ebpf))];
        yield return Caption(measure, $"{measure.Unit}. {measure.Meaning}");
        yield return Markup.Scrolling(measure.Title, Markup.Element("table",
            Head(["services", .. modes.Select(Words.Name), .. others.Select(mode => $"vs {Words.Name(mode)}")]),
            Markup.Element("tbody", figures.Counts(measure).Select(services => Row(
                services,
                modes.Select(mode => Cell(figures.Of(measure, mode, services), mode == Mode.Ebpf))
                    .Concat(others.Select(mode => Cell(figures.Advantage(measure, mode, services), own: false))))))));
    }

    private static XElement Cell(Summary? figure, bool own) => figure is { } known
        ? Markup.Element("td", own ? Markup.Class("own") : null, Words.Marked(known), Markup.Element("small", Words.Range(known)))
        : Markup.Element("td", "\u2013");

    private static IEnumerable<XElement> Durations(Figures figures, Measure measure)
    {
        Distribution[] all = [.. figures.Run.Distributions.Where(durations => durations.Measure == measure.Id && durations.Count > 0)];
        if (all.Length == 0)
            yield break;

        string[] modes = [.. Mode.All.Where(mode => all.Any(durations => durations.Mode == mode))];
        yield return Caption(measure, $"p50, p99, and p99.9 of at least {Words.Count(Quantiles.SamplesForP999)} operations");
        yield return Markup.Scrolling(measure.Title, Markup.Element("table",
            Head(["services", .. modes.Select(Words.Name)]),
            Markup.Element("tbody", all.Select(durations => durations.Services).Distinct().Order().Select(services => Row(
                services, modes.Select(mode => Cell(figures.Durations(measure, mode, services), mode == Mode.Ebpf)))))));
    }

    private static XElement Cell(Distribution? durations, bool own) => durations is { } known
        ? Markup.Element("td", own ? Markup.Class("own") : null,
            Words.Microseconds(known.P50),
            Markup.Element("small", Words.Microseconds(known.P99)
                + (Quantiles.HasP999(known) ? $", {Words.Microseconds(known.P999)}" : "")))
        : Markup.Element("td", "\u2013");

    private static XElement Caption(Measure measure, string text) =>
        Markup.Element("p", Markup.Class("caption"), Markup.Element("b", measure.Title), " ", Markup.Element("span", text));

    private static XElement Head(IEnumerable<string> texts) => Markup.Element("thead", Markup.Element("tr",
        texts.Select(text => Markup.Element("th", new XAttribute("scope", "col"), text))));

    private static XElement Row(int services, IEnumerable<XElement> cells) => Markup.Element("tr",
        cells.Prepend(Markup.Element("th", new XAttribute("scope", "row"), Words.Count(services))));
}
