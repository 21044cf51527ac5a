// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Bench.Comparison.Results;
using EbpfLb.Bench.Comparison.Traffic;

namespace EbpfLb.Bench.Comparison.Reporting;

/// <summary>Operations of one figure that failed or were lost, where they are more than can be passed over.</summary>
/// <param name="Part">Of all its operations.</param>
internal sealed record Loss(Measure Measure, string Mode, int Services, long Failures, double Part)
{
    public static IEnumerable<Loss> Of(Figures figures) =>
        from series in figures.Run.Series
        let failures = series.Failures?.Sum() ?? 0
        where failures > 0
        let measure = Measure.Named(series.Measure)
        let all = figures.Durations(measure, series.Mode, series.Services)?.Count ?? 0
        where failures > all * Load.FewFailures
        select new Loss(measure, series.Mode, series.Services, failures, all > 0 ? Math.Min(1, (double)failures / all) : 1);

    public override string ToString() =>
        $"{Measure.Short}, {Words.Name(Mode)}, {Words.Services(Services)}: {Words.Percent(Part)} of the operations";
}
