// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Bench.Comparison.Reporting;

/// <summary>What the rounds of one figure, or of a ratio of two, amount to.</summary>
internal readonly record struct Summary(double Median, double Min, double Max, int Rounds)
{
    /// <summary>A figure whose spread is above it is marked wherever it is shown.</summary>
    public const double NoisyAbove = 0.15;

    /// <summary>Distance of the extremes, as a part of the median.</summary>
    public double Spread => Max > Min ? (Max - Min) / Math.Abs(Median) : 0;

    public bool IsNoisy => Spread > NoisyAbove;

    public static Summary Of(IReadOnlyList<double> rounds)
    {
        if (rounds.Count == 0)
            throw new BenchException("a figure without rounds has no median");

        double[] sorted = [.. rounds.Order()];
        int middle = sorted.Length / 2;
        double median = sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        return new Summary(median, sorted[0], sorted[^1], sorted.Length);
    }

    /// <summary>Of the ratios within each round. Null where there is none.</summary>
    public static Summary? OfRatio(IReadOnlyList<double> dividends, IReadOnlyList<double> divisors) =>
        Ratios(dividends, divisors) is { Count: > 0 } ratios ? Of(ratios) : null;

    /// <summary>
    /// Within each round: rounds of the same index were measured beside one another. None if no round has both, or a divisor is zero.
    /// </summary>
    public static IReadOnlyList<double> Ratios(IReadOnlyList<double> dividends, IReadOnlyList<double> divisors)
    {
        int common = Math.Min(dividends.Count, divisors.Count);
        return divisors.Take(common).Any(divisor => divisor == 0)
            ? []
            : [.. dividends.Take(common).Zip(divisors, (dividend, divisor) => dividend / divisor)];
    }
}
