// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Bench.Comparison.Results;

namespace EbpfLb.Bench.Comparison.Reporting;

/// <summary>What a run is held against: ratios, which unlike rates hold on other machines too.</summary>
/// <param name="From">What the run that it was taken from says of its machine.</param>
internal sealed record Expectation(int Schema, IReadOnlyList<Fact> From, IReadOnlyList<ExpectedAdvantage> Advantages)
{
    public const int CurrentSchema = 1;

    /// <summary>Ratios that are too noisy to judge a run by are left out.</summary>
    public static Expectation Of(Figures figures) => new(
        CurrentSchema,
        figures.Run.Environment,
        [
            .. from measure in figures.Measures
               from services in figures.Counts(measure)
               from over in Mode.All
               where over != Mode.Ebpf
               let advantage = figures.Advantage(measure, over, services)
               where advantage is not null && advantage.Value.Spread <= RegressionCheck.MostNoise
               select new ExpectedAdvantage(
                   measure.Id, services, over, Math.Round(advantage.Value.Median, 4), Math.Round(advantage.Value.Spread, 4)),
        ]);
}

/// <param name="Over">The mode that this project's data plane is compared with.</param>
/// <param name="Ratio">How many times better it was.</param>
/// <param name="Noise">Spread of that ratio between rounds, as a part of it.</param>
internal sealed record ExpectedAdvantage(string Measure, int Services, string Over, double Ratio, double Noise);
