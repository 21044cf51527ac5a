// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Xml.Linq;
using EbpfLb.Bench.Comparison.Reporting.Charts;
using EbpfLb.Bench.Comparison.Reporting.Html;
using EbpfLb.Bench.Comparison.Results;

namespace EbpfLb.Bench.Comparison.Reporting;

/// <summary>summary.svg, for a page that is light or dark: it has a ground of its own, of the colour the reader prefers.</summary>
internal static class SummarySvg
{
    private const double Width = 860;
    private const double Height = 420;
    private const double Margin = 22;
    private const double Gap = 26;
    private const double Top = 92;
    private const double Bottom = 48;
    private const double LineHeight = 18;

    private static readonly Measure[] Rates =
        [Measure.PodToClusterIp, Measure.NodePortRemote, Measure.NodePortLocal, Measure.HostToClusterIp];

    public static string Make(Figures figures)
    {
        var svg = Svg.Root(Width, Height, "EbpfLb beside kube-proxy's iptables and nftables", Describe(figures), Parts(figures));
        svg.SetAttributeValue("width", Svg.Number(Width));
        svg.SetAttributeValue("height", Svg.Number(Height));
        svg.AddFirst(new XElement(Svg.Namespace + "style", Css));
        return svg.ToString(SaveOptions.DisableFormatting) + "\n";
    }

    private static string Css =>
        $".chart{{{ChartStyle.Light}}}\n@media (prefers-color-scheme:dark){{.chart{{{ChartStyle.Dark}}}}}\n"
        + ChartStyle.Rules
        + "\n.chart .ground{fill:var(--ground);stroke:var(--rule)}\n.chart .head{fill:var(--ink);font-weight:600;font-size:17px}\n";

    private static IEnumerable<XElement> Parts(Figures figures)
    {
        yield return Svg.Box(0.5, 0.5, Width - 1, Height - 1, "ground");
        yield return Svg.Text(Margin, 34, "New connections per second, by number of services", "head");

        Measure[] shown = [.. Rates.Where(figures.Measures.Contains).Take(2)];
        string[] modes = [.. Mode.All.Where(mode => shown.Any(measure => figures.Modes(measure).Contains(mode)))];
        if (modes.Length > 0)
            yield return Svg.Moved(Margin, 46, Legend.Draw(modes, Width - (2 * Margin)));
        string[] notes = [.. Footnotes(figures)];
        for (int i = 0; i < notes.Length; i++)
            yield return Svg.Text(Margin, Height - 14 - (LineHeight * (notes.Length - 1 - i)), notes[i]);

        double width = (Width - (2 * Margin) - (Gap * Math.Max(0, shown.Length - 1))) / Math.Max(1, shown.Length);
        for (int i = 0; i < shown.Length; i++)
        {
            var chart = ScalingSection.Chart(figures, shown[i], shown[i].Title) with
            {
                Width = width,
                Height = Height - Top - Bottom,
                YTitle = shown[i].Short,
            };
            yield return Svg.Moved(Margin + (i * (width + Gap)), Top - 14, chart.Parts(legend: false));
        }
    }

    private static IEnumerable<string> Footnotes(Figures figures)
    {
        int services = figures.Counts(Measure.EndpointChange).DefaultIfEmpty().Max();
        string[] changes =
        [
            .. from mode in figures.Modes(Measure.EndpointChange)
               let figure = figures.Of(Measure.EndpointChange, mode, services)
               where figure is not null
               select $"{Words.Name(mode)} {Words.Milliseconds(figure.Value.Median)}",
        ];
        if (changes.Length > 0)
            yield return $"An endpoint's change, {Words.Services(services)}: {string.Join(", ", changes)}.";
        yield return $"Medians of {Words.Count(figures.Run.Method.Rounds)} rounds; the lines through points end at the least and the "
            + "greatest. direct: the pod itself is dialled.";
    }

    private static string Describe(Figures figures) => string.Join("; ", Rates.SelectMany(measure =>
        from mode in figures.Modes(measure)
        let services = figures.Counts(measure).LastOrDefault(count => figures.Of(measure, mode, count) is not null)
        let figure = figures.Of(measure, mode, services)
        where figure is not null
        select $"{measure.Short}, {Words.Name(mode)}, {Words.Services(services)}: {Words.Number(figure.Value.Median)} {measure.Unit}"));
}
