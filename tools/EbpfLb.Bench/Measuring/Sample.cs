// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;

namespace EbpfLb.Bench.Measuring;

/// <summary>Repeated measurements of one thing.</summary>
internal sealed class Sample
{
    private readonly double[] _sorted;

    public Sample(IEnumerable<double> values)
    {
        Values = [.. values];
        _sorted = [.. Values.Order()];
        if (_sorted.Length == 0)
            throw new BenchException("no measurement succeeded");
    }

    /// <summary>As they were measured, one after the other.</summary>
    public IReadOnlyList<double> Values { get; }

    public int Count => _sorted.Length;

    public double Min => _sorted[0];

    public double Max => _sorted[^1];

    public double Median => Percentile(0.5);

    public string Range => string.Create(CultureInfo.InvariantCulture, $"[{Min:0.####} .. {Max:0.####}], n {Count}");

    public string Tail => string.Create(CultureInfo.InvariantCulture, $"p50 {Median:0.##}, max {Max:0.##}, n {Count}");

    /// <summary>The smallest value that at least this fraction is not above.</summary>
    public double Percentile(double fraction) => _sorted[Math.Max(0, (int)Math.Ceiling(fraction * _sorted.Length) - 1)];
}
