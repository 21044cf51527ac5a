// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Agent.Metrics;

/// <param name="bounds">Upper bounds, ascending; the bucket without a bound is understood.</param>
internal sealed class Histogram(double[] bounds) : Metric
{
    private readonly string[] _bounds = [.. bounds.Select(Exposition.Number), "+Inf"];
    private readonly long[] _counts = new long[bounds.Length + 1];
    private double _sum;

    public void Observe(double value)
    {
        int index = Array.BinarySearch(bounds, value);
        Interlocked.Increment(ref _counts[index < 0 ? ~index : index]);
        double seen = Volatile.Read(ref _sum), expected;
        do
        {
            expected = seen;
            seen = Interlocked.CompareExchange(ref _sum, expected + value, expected);
        }
        while (seen != expected);
    }

    public override void Write(Exposition exposition, string name, string labels)
    {
        string more = labels.Length == 0 ? "" : labels + ",";
        long count = 0;
        for (int i = 0; i < _counts.Length; i++)
        {
            count += Interlocked.Read(ref _counts[i]);
            exposition.Sample(name + "_bucket", $"{more}le=\"{_bounds[i]}\"", count);
        }

        exposition.Sample(name + "_sum", labels, Volatile.Read(ref _sum));
        exposition.Sample(name + "_count", labels, count);
    }
}
