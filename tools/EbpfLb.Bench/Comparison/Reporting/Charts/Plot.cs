// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Xml.Linq;

namespace EbpfLb.Bench.Comparison.Reporting.Charts;

/// <summary>The part of a chart that has the data in it, and the axes around it.</summary>
internal readonly record struct Plot(double X, double Y, double Width, double Height)
{
    private const double LabelGap = 8;

    /// <summary>Kept free at both sides, for the halves of marks.</summary>
    public double Inset { get; init; }

    public double Across(double part) => X + Inset + (part * (Width - (2 * Inset)));

    public double Up(double part) => Y + Height - (part * Height);

    public IEnumerable<XElement> Axes(Scale x, Scale y)
    {
        var plot = this;
        yield return Svg.Path(
            string.Concat(y.Ticks.Select(
                tick => $"M{Svg.Number(plot.X)} {Svg.Number(plot.Up(y.Of(tick.Value)))}h{Svg.Number(plot.Width)}")),
            "grid");
        foreach (var tick in y.Ticks)
            yield return Svg.Text(X - 6, Up(y.Of(tick.Value)) + 4.5, tick.Label, anchor: "end");
        foreach (var element in Across(x))
            yield return element;
    }

    /// <summary>The horizontal axis alone, with the labels that have room.</summary>
    public IEnumerable<XElement> Across(Scale x)
    {
        var plot = this;
        double bottom = Y + Height;
        yield return Svg.Path(
            $"M{Svg.Number(X)} {Svg.Number(bottom)}h{Svg.Number(Width)}" + string.Concat(
                x.Ticks.Select(tick => $"M{Svg.Number(plot.Across(x.Of(tick.Value)))} {Svg.Number(bottom)}v4")),
            "axis");
        foreach (var (tick, at) in Apart(x))
            yield return Svg.Text(at, bottom + 17, tick.Label, anchor: "middle");
    }

    // Where not all have room, powers of ten read better than what is left of ones, twos and fives.
    private List<(Tick Tick, double At)> Apart(Scale x)
    {
        var kept = Apart(x, x.Ticks);
        if (kept.Count == x.Ticks.Count || !x.IsLogarithmic)
            return kept;

        var powers = Apart(x, x.Ticks.Where(tick => Math.Abs(Math.Log10(tick.Value) - Math.Round(Math.Log10(tick.Value))) < 1e-9));
        return powers.Count > 1 ? powers : kept;
    }

    // The last one stays, as it says where the axis ends; of the others those that overlap nothing.
    private List<(Tick Tick, double At)> Apart(Scale x, IEnumerable<Tick> ticks)
    {
        var kept = new List<(Tick Tick, double At)>();
        double limit = double.MaxValue;
        foreach (var tick in ticks.Reverse())
        {
            double half = Svg.WidthOf(tick.Label) / 2;
            double at = Across(x.Of(tick.Value));
            if (at + half + LabelGap > limit)
                continue;
            kept.Add((tick, at));
            limit = at - half;
        }

        return kept;
    }
}
