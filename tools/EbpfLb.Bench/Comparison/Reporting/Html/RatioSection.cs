// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Xml.Linq;
using EbpfLb.Bench.Comparison.Reporting.Charts;
using EbpfLb.Bench.Comparison.Results;

namespace EbpfLb.Bench.Comparison.Reporting.Html;

/// <summary>How many times better this project's data plane is than each other mode, with the most services.</summary>
internal static class RatioSection
{
    // Ratios of these are of another size than those of the data path; they would leave the other bars without length.
    private static readonly Measure[] Control =
        [Measure.EndpointChange, Measure.Programming, Measure.KernelMemory, Measure.ProxyMemory];

    private static readonly string[] Others = [.. Mode.All.Where(mode => mode != Mode.Ebpf)];

    public static XElement? Make(Figures figures)
    {
        int services = figures.Measures.SelectMany(figures.Counts).DefaultIfEmpty().Max();
        var connections = Groups(figures, figures.Measures.Where(IsOfConnections), services);
        var traffic = Groups(figures, figures.Measures.Except(Control).Where(measure => !IsOfConnections(measure)), services);
        var control = Groups(figures, figures.Measures.Intersect(Control), services);
        if (connections.Count + traffic.Count + control.Count == 0)
            return null;

        return Markup.Section(
            "ratios", $"Ratios, with {Words.Services(services)}",
            Markup.Paragraph(
                "How many times better EbpfLb is than the mode that the colour names: more per second, in less time, with less memory. "
                + "Below 1 it is worse. The ratio is taken in each round; a bar ends at the median, the line on it at the least and the "
                + $"greatest. {Words.NoisyMeans}."),
            Markup.Element("div", Markup.Class("charts top"),
                connections.Count == 0 ? null : Markup.Figure("New connections", null, null, Bars("new connections", connections)),
                traffic.Count == 0 ? null : Markup.Figure("Other traffic", null, null, Bars("other traffic", traffic)),
                control.Count == 0 ? null : Markup.Figure("Changes and memory", null, null, Points(control))));
    }

    private static bool IsOfConnections(Measure measure) => measure.Unit == Measure.PodToClusterIp.Unit;

    private static List<BarGroup> Groups(Figures figures, IEnumerable<Measure> measures, int services) =>
    [
        .. from measure in measures
           let bars = Others.Select(over => (over, Ratio: figures.Advantage(measure, over, services)))
               .Where(pair => pair.Ratio is not null)
               .Select(pair => new Bar(pair.over, pair.Ratio!.Value, Words.Marked(pair.Ratio.Value)))
               .ToArray()
           where bars.Length > 0
           select new BarGroup(measure.Short, bars),
    ];

    private static XElement Bars(string what, List<BarGroup> groups) => new BarChart(
        $"EbpfLb compared with the other modes: {what}", Describe(groups), "times better than", Scale.FromZero(Most(groups)), groups)
    {
        Reference = 1,
    }.Draw();

    private static XElement Points(List<BarGroup> groups) => new BarChart(
        "EbpfLb compared with the other modes: changes and memory", Describe(groups), "times better than, logarithmic",
        Scale.Logarithmic(Math.Min(1, groups.SelectMany(group => group.Bars).Min(bar => bar.Figure.Min)), Most(groups)), groups)
    {
        Reference = 1,
    }.Draw();

    private static double Most(List<BarGroup> groups) => groups.SelectMany(group => group.Bars).Max(bar => Math.Max(1, bar.Figure.Max));

    private static string Describe(List<BarGroup> groups) => string.Join("; ", groups.Select(group =>
        $"{group.Label}: {string.Join(", ", group.Bars.Select(bar => $"{Words.Number(bar.Figure.Median)} over {Words.Name(bar.Mode)}"))}"));
}
