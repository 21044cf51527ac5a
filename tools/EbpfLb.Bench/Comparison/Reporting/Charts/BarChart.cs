// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Xml.Linq;

namespace EbpfLb.Bench.Comparison.Reporting.Charts;

/// <param name="Text">What stands behind it.</param>
internal sealed record Bar(string Mode, Summary Figure, string Text);

internal sealed record BarGroup(string Label, IReadOnlyList<Bar> Bars);

/// <summary>
/// Bars that lie, in groups, each with the range of its rounds. On a logarithmic axis, where the length of a bar means nothing, they
/// are points on stems.
/// </summary>
internal sealed record BarChart(string Title, string Description, string XTitle, Scale X, IReadOnlyList<BarGroup> Groups)
{
    private const double Thickness = 13;
    private const double Pitch = 19;
    private const double LabelHeight = 19;
    private const double Gap = 9;
    private const double Bottom = 40;

    public double Width { get; init; } = 400;

    /// <summary>A value to compare with, marked across all bars.</summary>
    public double? Reference { get; init; }

    private string[] Modes => [.. Groups.SelectMany(group => group.Bars).Select(bar => bar.Mode).Distinct()];

    private double HeightOfGroups => Groups.Sum(group => LabelHeight + (group.Bars.Count * Pitch) + Gap);

    public XElement Draw()
    {
        double top = Legend.HeightOf(Modes, Width) + 4;
        return Svg.Root(Width, top + HeightOfGroups + Bottom, Title, Description, Parts(top));
    }

    private IEnumerable<XElement> Parts(double top)
    {
        // Texts stand behind the bars, so the axis ends where the longest still has room.
        double right = Groups.SelectMany(group => group.Bars).Max(bar => Svg.WidthOf(bar.Text)) + 10;
        var plot = new Plot(4, top, Width - 4 - right, HeightOfGroups);
        foreach (var element in Legend.Draw(Modes, Width).Concat(plot.Across(X)))
            yield return element;
        yield return Svg.Text(plot.X + (plot.Width / 2), top + HeightOfGroups + Bottom - 5, XTitle, anchor: "middle");

        double y = top;
        foreach (var group in Groups)
        {
            yield return Svg.Text(plot.X, y + 14, group.Label, "strong");
            y += LabelHeight;
            if (Reference is { } value)
                yield return Svg.Path($"M{Svg.Number(plot.Across(X.Of(value)))} {Svg.Number(y)}v{group.Bars.Count * Pitch}", "one");
            foreach (var bar in group.Bars)
            {
                yield return Svg.Group(ChartStyle.ClassOf(bar.Mode), DrawBar(bar, plot, y + (Pitch / 2)));
                yield return Svg.Text(plot.Across(X.Of(bar.Figure.Max)) + 7, y + (Pitch / 2) + 4.5, bar.Text, "value");
                y += Pitch;
            }

            y += Gap;
        }
    }

    private IEnumerable<XElement> DrawBar(Bar bar, Plot plot, double y)
    {
        double at = plot.Across(X.Of(bar.Figure.Median));
        double low = plot.Across(X.Of(bar.Figure.Min));
        double high = plot.Across(X.Of(bar.Figure.Max));
        if (X.IsLogarithmic)
            yield return Svg.Box(plot.X, y - 1.5, at - plot.X, 3, "stem");
        else
            yield return Svg.Box(plot.X, y - (Thickness / 2), at - plot.X, Thickness, "bar");
        if (high > low)
            yield return Svg.Path(Whisker(low, high, y), X.IsLogarithmic ? "range" : "over");
        if (X.IsLogarithmic)
            yield return Svg.Path(ChartStyle.Mark(bar.Mode, at, y), "mark");
    }

    private static string Whisker(double low, double high, double y) =>
        $"M{Svg.Number(low)} {Svg.Number(y - 3.5)}v7M{Svg.Number(low)} {Svg.Number(y)}H{Svg.Number(high)}"
        + $"M{Svg.Number(high)} {Svg.Number(y - 3.5)}v7";
}
