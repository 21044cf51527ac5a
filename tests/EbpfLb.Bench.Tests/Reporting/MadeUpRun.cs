// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Bench.Comparison.Reporting;
using EbpfLb.Bench.Comparison.Results;

namespace EbpfLb.Bench.Tests.Reporting;

/// <summary>A run that nobody measured, with just the figures that a test is about.</summary>
internal sealed class MadeUpRun
{
    private readonly List<Fact> _environment = [new("kernel", "6.18")];
    private readonly List<Series> _series = [];
    private readonly List<Distribution> _distributions = [];
    private readonly List<Omission> _notMeasured = [];

    public Comparison.Results.Comparison Run => new(
        Comparison.Results.Comparison.CurrentSchema, _environment,
        new Method(Quick: false, Rounds: 5, Seconds: 1.5, Mode.All, [1, 10_000], EndpointsPerService: 3, Duration: 600),
        _series, _distributions, _notMeasured);

    public Figures Figures => new(Run);

    /// <summary>All measures of all modes with few services and many, none noisy.</summary>
    public static MadeUpRun Whole()
    {
        var run = new MadeUpRun();
        foreach (var measure in Measure.All)
        {
            foreach (int services in new[] { 1, 100, 10_000 })
            {
                foreach (string mode in Mode.All)
                {
                    double value = (measure.MoreIsBetter ? 10_000 : 3) / (mode is Mode.Direct or Mode.Ebpf ? 1 : Math.Sqrt(services));
                    run.With(measure, mode, services, value, value * 1.01, value * 1.02)
                        .Lasting(measure, mode, services, [.. Enumerable.Range(1, 200).Select(upTo => new Bucket(upTo * 10, 201 - upTo))]);
                }
            }
        }

        return run.Without(Measure.Throughput, Mode.Nftables, 1000, "no time was left");
    }

    public MadeUpRun With(Measure measure, string mode, int services, params double[] rounds)
    {
        _series.Add(new Series(measure.Id, mode, services, rounds));
        return this;
    }

    public MadeUpRun Lasting(Measure measure, string mode, int services, params Bucket[] buckets)
    {
        _distributions.Add(new Distribution(measure.Id, mode, services, buckets.Sum(bucket => bucket.Count), 50, 990, 1999, buckets));
        return this;
    }

    public MadeUpRun Without(Measure measure, string mode, int services, string reason)
    {
        _notMeasured.Add(new Omission(measure.Id, mode, services, reason));
        return this;
    }

    public MadeUpRun On(string name, string value)
    {
        _environment.Add(new Fact(name, value));
        return this;
    }
}
