// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Bench.Comparison.Results;

namespace EbpfLb.Bench.Comparison.Reporting;

/// <param name="Part">Of the operations, from 0 to 1, that took no longer.</param>
/// <param name="Duration">Microseconds.</param>
internal readonly record struct Quantile(double Part, double Duration);

/// <summary>A histogram as a curve.</summary>
internal static class Quantiles
{
    /// <summary>With fewer, one in a thousand is too few operations to tell.</summary>
    public const int SamplesForP999 = 10_000;

    public static bool HasP999(Distribution durations) => durations.Count >= SamplesForP999;

    /// <summary>The part up to which a curve is worth drawing.</summary>
    public static double LastPart(Distribution durations) => HasP999(durations) ? 0.999 : 0.99;

    /// <summary>Ascending; begins at the first part and ends at the last, each with the bucket it falls into.</summary>
    public static IReadOnlyList<Quantile> Between(Distribution durations, double first, double last)
    {
        long total = durations.Buckets.Sum(bucket => bucket.Count);
        var curve = new List<Quantile>();
        long seen = 0;
        foreach (var bucket in durations.Buckets)
        {
            double before = (double)seen / total;
            seen += bucket.Count;
            double upTo = (double)seen / total;
            if (upTo < first)
                continue;
            if (curve.Count == 0)
                curve.Add(new Quantile(Math.Max(first, before), bucket.UpTo));
            if (upTo >= last)
            {
                curve.Add(new Quantile(last, bucket.UpTo));
                break;
            }

            curve.Add(new Quantile(upTo, bucket.UpTo));
        }

        return curve;
    }

    /// <summary>Points that are evenly far apart, the ends among them.</summary>
    public static IEnumerable<Quantile> Thinned(IReadOnlyList<Quantile> curve, int most) => curve.Count <= most
        ? curve
        : Enumerable.Range(0, most).Select(index => curve[(int)((long)index * (curve.Count - 1) / (most - 1))]);
}
