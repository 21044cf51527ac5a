// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text;
using EbpfLb.Agent.Metrics;
using EbpfLb.Agent.Tests.Support;

namespace EbpfLb.Agent.Tests.Metrics;

public sealed class MetricRegistryTests
{
    private readonly MetricRegistry _registry = new();

    private ParsedMetrics Metrics => ParsedMetrics.Parse(_registry.Write());

    [Fact]
    public void The_text_is_that_of_the_format()
    {
        _registry.Counter("a_total", "Things\nthat \\ happened.").Add(3);
        _registry.Gauges("b", "Now.", ["x", "y"]).With("1", "2").Set(0.25);
        var histogram = _registry.Histograms("c_seconds", "Durations.", ["f"], [0.5, 1]).With("v4");
        histogram.Observe(0.5);
        histogram.Observe(0.75);
        histogram.Observe(7);

        Assert.Equal(
            """
            # HELP a_total Things\nthat \\ happened.
            # TYPE a_total counter
            a_total 3
            # HELP b Now.
            # TYPE b gauge
            b{x="1",y="2"} 0.25
            # HELP c_seconds Durations.
            # TYPE c_seconds histogram
            c_seconds_bucket{f="v4",le="0.5"} 1
            c_seconds_bucket{f="v4",le="1"} 2
            c_seconds_bucket{f="v4",le="+Inf"} 3
            c_seconds_sum{f="v4"} 8.25
            c_seconds_count{f="v4"} 3

            """.ReplaceLineEndings("\n"),
            Encoding.UTF8.GetString(_registry.Write()));
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("quote\" and \\ and\nnewline")]
    [InlineData("\u001b[31mred\u001b[0m {x=\"y\"} 7")]
    [InlineData("%s %n")]
    [InlineData("äöü 🦊")]
    public void S197_A_label_value_comes_back_as_it_was(string value)
    {
        _registry.Gauges("g", "Now.", ["x"]).With(value).Set(1);
        Assert.Equal(1, Metrics["g", ("x", value)]);
    }

    [Fact]
    public void S197_Series_beyond_the_cap_are_one()
    {
        var family = _registry.Counters("c_total", "Things.", ["x"], cap: 3);
        for (int i = 0; i < 1_000; i++)
            family.With($"v{i}").Add();
        family.With("v1").Add();

        var metrics = Metrics;
        Assert.Equal(4, metrics.Series.Count);
        Assert.Equal(2, metrics["c_total", ("x", "v1")]);
        Assert.Equal(997, metrics["c_total", ("x", "other")]);
    }

    [Fact]
    public async Task Nothing_is_lost_when_many_observe_at_once()
    {
        var counter = _registry.Counter("c_total", "Things.");
        var histogram = _registry.Histograms("h_seconds", "Durations.", [], [1]).With();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (int i = 0; i < 10_000; i++)
            {
                counter.Add();
                histogram.Observe(0.5);
            }
        })));

        var metrics = Metrics;
        Assert.Equal(40_000, metrics["c_total"]);
        Assert.Equal(40_000, metrics["h_seconds_count"]);
        Assert.Equal(20_000, metrics["h_seconds_sum"]);
    }

    [Fact]
    public void Observing_allocates_nothing()
    {
        var counter = _registry.Counter("c_total", "Things.");
        var gauge = _registry.Gauge("g", "Now.");
        var histogram = _registry.Histograms("h_seconds", "Durations.", ["x"], Buckets.Sync).With("v");
        Observe();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1_000; i++)
            Observe();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Observe()
        {
            counter.Add();
            gauge.Set(0.5);
            histogram.Observe(0.125);
        }
    }

    [Fact]
    public void Buckets_are_those_of_kube_proxy()
    {
        Assert.Equal(
            [0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096, 8.192, 16.384], Buckets.Sync);
        Assert.Equal([0.25, 0.5, 1, 2, 3], Buckets.NetworkProgramming[..5]);
        Assert.Equal(
            [57, 58, 59, 60, 65, 70, 75, 80, 85, 90, 95, 100, 105, 110, 115, 120, 150, 180, 210, 240, 270, 300],
            Buckets.NetworkProgramming[58..]);
        Assert.Equal(80, Buckets.NetworkProgramming.Length);
    }
}
