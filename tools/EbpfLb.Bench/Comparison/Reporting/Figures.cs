// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Bench.Comparison.Results;

namespace EbpfLb.Bench.Comparison.Reporting;

/// <summary>What a run says of a measure, a mode and a number of services.</summary>
internal sealed class Figures
{
    private readonly Dictionary<(string Measure, string Mode, int Services), IReadOnlyList<double>> _rounds;

    public Figures(Results.Comparison run)
    {
        Run = run;
        _rounds = run.Series.Where(series => series.Rounds.Count > 0)
            .GroupBy(series => (series.Measure, series.Mode, series.Services))
            .ToDictionary(group => group.Key, group => group.First().Rounds);
    }

    public Results.Comparison Run { get; }

    /// <summary>Those with a figure, in the order of the report.</summary>
    public IEnumerable<Measure> Measures => Measure.All.Where(measure => _rounds.Keys.Any(key => key.Measure == measure.Id));

    /// <summary>At which the measure has a figure, ascending.</summary>
    public IReadOnlyList<int> Counts(Measure measure) =>
        [.. _rounds.Keys.Where(key => key.Measure == measure.Id).Select(key => key.Services).Distinct().Order()];

    /// <summary>With a figure of the measure, in the order of a round.</summary>
    public IReadOnlyList<string> Modes(Measure measure) =>
        [.. Mode.All.Where(mode => _rounds.Keys.Any(key => key.Measure == measure.Id && key.Mode == mode))];

    public Summary? Of(Measure measure, string mode, int services) =>
        _rounds.TryGetValue((measure.Id, mode, services), out var rounds) ? Summary.Of(rounds) : null;

    /// <summary>
    /// How many times better this project's data plane is than another mode: above 1 is better, whichever way the measure runs.
    /// </summary>
    public Summary? Advantage(Measure measure, string over, int services) =>
        Advantages(measure, over, services) is { Count: > 0 } rounds ? Summary.Of(rounds) : null;

    /// <summary>What is left of that advantage at one number of services of what it was at another; above 1 is more.</summary>
    public Summary? Scaling(Measure measure, string over, int from, int to) =>
        Summary.OfRatio(Advantages(measure, over, to), Advantages(measure, over, from));

    private IReadOnlyList<double> Advantages(Measure measure, string over, int services)
    {
        if (!_rounds.TryGetValue((measure.Id, Mode.Ebpf, services), out var own)
            || !_rounds.TryGetValue((measure.Id, over, services), out var others))
            return [];

        return measure.MoreIsBetter ? Summary.Ratios(own, others) : Summary.Ratios(others, own);
    }

    public Distribution? Durations(Measure measure, string mode, int services) => Run.Distributions.FirstOrDefault(
        distribution => distribution.Measure == measure.Id && distribution.Mode == mode && distribution.Services == services
            && distribution.Count > 0);

    /// <summary>Why a figure is not there; null if the run says nothing of it.</summary>
    public string? WhyNot(Measure measure, string mode, int services) => Run.NotMeasured.FirstOrDefault(
        omission => omission.Measure == measure.Id && omission.Mode == mode && omission.Services == services)?.Reason;
}
