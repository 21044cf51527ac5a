// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Xml.Linq;

namespace EbpfLb.Bench.Comparison.Reporting.Charts;

/// <param name="Low">End of the range around the point; the point itself if there is none.</param>
internal readonly record struct LinePoint(double X, double Y, double Low, double High)
{
    public LinePoint(double x, double y)
        : this(x, y, y, y)
    {
    }
}

/// <param name="Marked">Points are measured; else the line is a curve.</param>
internal sealed record ChartLine(string Mode, IReadOnlyList<LinePoint> Points, bool Marked = true);

/// <summary>A line for each mode.</summary>
internal sealed record LineChart(
    string Title, string Description, string XTitle, string YTitle, Scale X, Scale Y, IReadOnlyList<ChartLine> Lines)
{
    private const double Cap = 3;
    private const double Bottom = 40;
    private const double Right = 18;
    private const double HalfMark = 9;

    public double Width { get; init; } = 400;

    public double Height { get; init; } = 270;

    private string[] Modes => [.. Lines.Select(line => line.Mode)];

    public XElement Draw(bool legend = true) => Svg.Root(Width, Height, Title, Description, Parts(legend));

    /// <summary>The same without a drawing of its own, for use inside another.</summary>
    public IEnumerable<XElement> Parts(bool legend)
    {
        double legendHeight = legend ? Legend.HeightOf(Modes, Width) : 0;
        double left = Y.Ticks.Max(tick => Svg.WidthOf(tick.Label)) + 12;
        var plot = new Plot(left, legendHeight + 26, Width - left - Right, Height - legendHeight - 26 - Bottom)
        {
            Inset = Lines.Any(line => line.Marked) ? HalfMark : 0,
        };
        if (legend)
        {
            foreach (var element in Legend.Draw(Modes, Width))
                yield return element;
        }

        yield return Svg.Text(0, legendHeight + 13, YTitle);
        foreach (var element in plot.Axes(X, Y))
            yield return element;
        yield return Svg.Text(plot.X + (plot.Width / 2), Height - 5, XTitle, anchor: "middle");
        foreach (var line in Lines)
            yield return Svg.Group(ChartStyle.ClassOf(line.Mode), DrawLine(line, plot));
    }

    private IEnumerable<XElement> DrawLine(ChartLine line, Plot plot)
    {
        var places = line.Points.Select(point => (X: plot.Across(X.Of(point.X)), Y: plot.Up(Y.Of(point.Y)), Point: point)).ToArray();
        string ranges = string.Concat(places.Where(place => place.Point.High > place.Point.Low)
            .Select(place => Whisker(place.X, plot.Up(Y.Of(place.Point.Low)), plot.Up(Y.Of(place.Point.High)))));
        if (ranges.Length > 0)
            yield return Svg.Path(ranges, "range");
        if (places.Length > 1)
            yield return Svg.Path("M" + string.Join('L', places.Select(place => $"{Svg.Number(place.X)} {Svg.Number(place.Y)}")), "line");
        if (line.Marked)
            yield return Svg.Path(string.Concat(places.Select(place => ChartStyle.Mark(line.Mode, place.X, place.Y))), "mark");
    }

    private static string Whisker(double x, double low, double high) =>
        $"M{Svg.Number(x - Cap)} {Svg.Number(low)}h{2 * Cap}M{Svg.Number(x)} {Svg.Number(low)}V{Svg.Number(high)}"
        + $"M{Svg.Number(x - Cap)} {Svg.Number(high)}h{2 * Cap}";
}
