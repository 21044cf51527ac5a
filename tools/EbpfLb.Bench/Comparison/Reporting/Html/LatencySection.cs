// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Xml.Linq;
using EbpfLb.Bench.Comparison.Reporting.Charts;
using EbpfLb.Bench.Comparison.Results;

namespace EbpfLb.Bench.Comparison.Reporting.Html;

/// <summary>How long single operations took, with the most services.</summary>
internal static class LatencySection
{
    // A curve of more points looks the same.
    private const int MostPoints = 90;

    public static XElement? Make(Figures figures)
    {
        XElement[] charts = [.. Measure.All.SelectMany(measure => Charts(figures, measure))];
        return charts.Length == 0 ? null : Markup.Section(
            "latency", "How long one operation takes",
            Markup.Paragraph(
                "Of all rounds together, from a histogram. Percentiles stretch out the slowest: at p99.9, one operation in a thousand took "
                + "longer; the lower a curve runs, the better. Distributions show which part of the operations was done within a time; "
                + "the further left a curve runs, the better. All clients are busy all the time and the processors with them: these are "
                + "durations under full load, and not those of a connection on an idle node. "
                + $"Where fewer than {Words.Count(Quantiles.SamplesForP999)} operations are known, curves end at p99."),
            Markup.Element("div", Markup.Class("charts wide"), charts));
    }

    private static IEnumerable<XElement> Charts(Figures figures, Measure measure)
    {
        int services = figures.Run.Distributions.Where(durations => durations.Measure == measure.Id && durations.Count > 0)
            .Select(durations => durations.Services).DefaultIfEmpty().Max();
        Distribution[] all = [.. Mode.All.Select(mode => figures.Durations(measure, mode, services)).OfType<Distribution>()
            .Where(durations => durations.Buckets.Count > 0)];
        if (all.Length == 0)
            return [];

        string description = string.Join("; ", all.Select(durations => $"{Words.Name(durations.Mode)}: "
            + $"p50 {Words.Microseconds(durations.P50)}, p99 {Words.Microseconds(durations.P99)}"
            + (Quantiles.HasP999(durations) ? $", p99.9 {Words.Microseconds(durations.P999)}" : "")));
        string where = Words.Services(services);
        return
        [
            Markup.Figure(measure.Short, $"percentiles, {where}", null, Percentiles(measure, description, all).Draw()),
            Markup.Figure(measure.Short, $"distribution, {where}", null, Cumulated(measure, description, all).Draw()),
        ];
    }

    private static LineChart Percentiles(Measure measure, string description, Distribution[] all)
    {
        var curves = all.Select(durations => Quantiles.Between(durations, 0.5, Quantiles.LastPart(durations))).ToArray();
        return new LineChart(
            $"{measure.Title}: percentiles of the duration", description, "percentile", "duration, logarithmic",
            Scale.At([new Tick(2, "p50"), new Tick(10, "p90"), new Tick(100, "p99"), new Tick(1000, "p99.9")]),
            DurationScale(curves.SelectMany(curve => curve)),
            [
                .. all.Zip(curves, (durations, curve) => new ChartLine(
                    durations.Mode,
                    [.. Quantiles.Thinned(curve, MostPoints).Select(point => new LinePoint(1 / (1 - point.Part), point.Duration))],
                    Marked: false)),
            ]);
    }

    private static LineChart Cumulated(Measure measure, string description, Distribution[] all)
    {
        var curves = all.Select(durations => Quantiles.Between(durations, 0, Quantiles.LastPart(durations))).ToArray();
        return new LineChart(
            $"{measure.Title}: part of the operations done within a time", description, "duration, logarithmic", "done, %",
            DurationScale(curves.SelectMany(curve => curve)), Scale.FromZero(100),
            [
                .. all.Zip(curves, (durations, curve) => new ChartLine(
                    durations.Mode,
                    [.. Quantiles.Thinned(curve, MostPoints).Select(point => new LinePoint(point.Duration, point.Part * 100))],
                    Marked: false)),
            ]);
    }

    private static Scale DurationScale(IEnumerable<Quantile> points) =>
        Scale.Logarithmic(points.Min(point => point.Duration), points.Max(point => point.Duration), Words.RoundMicroseconds);
}
