// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Bench.Comparison.Reporting;
using EbpfLb.Bench.Comparison.Reporting.Charts;
using EbpfLb.Bench.Comparison.Results;
using FsCheck;
using FsCheck.Fluent;

namespace EbpfLb.Bench.Tests.Reporting;

public sealed class ScaleTests
{
    [Theory]
    [InlineData(17_308, "0, 5,000, 10,000, 15,000, 20,000")]
    [InlineData(10, "0, 2, 4, 6, 8, 10")]
    [InlineData(0.3, "0, 0.1, 0.2, 0.3")]
    [InlineData(0, "0, 0.2, 0.4, 0.6, 0.8, 1")]
    public void A_linear_axis_begins_at_zero_and_has_round_labels(double max, string labels) =>
        Assert.Equal(labels, string.Join(", ", Scale.FromZero(max).Ticks.Select(tick => tick.Label)));

    [Theory]
    [InlineData(1.7, 6300, "1, 10, 100, 1,000, 10,000")]
    [InlineData(240, 1900, "200, 500, 1,000, 2,000")]
    [InlineData(0.07, 20, "0.01, 0.1, 1, 10, 100")]
    [InlineData(1000, 1000, "1,000, 2,000")]
    public void A_logarithmic_axis_has_labels_that_are_evenly_apart(double min, double max, string labels) =>
        Assert.Equal(labels, string.Join(", ", Scale.Logarithmic(min, max).Ticks.Select(tick => tick.Label)));

    [Fact]
    public void Whatever_is_shown_is_on_its_axis()
    {
        var positive = ArbMap.Default.GeneratorFor<NormalFloat>().Select(value => Math.Abs(value.Get))
            .Where(value => value is > 1e-6 and < 1e12);
        Prop.ForAll(Arb.From(positive.Two()), pair =>
        {
            double low = Math.Min(pair.Item1, pair.Item2);
            double high = Math.Max(pair.Item1, pair.Item2);
            return Holds(Scale.FromZero(high), low, high) && Holds(Scale.Logarithmic(low, high), low, high);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_histogram_as_a_curve_ends_in_the_bucket_of_its_last_part()
    {
        var durations = new Distribution(
            Measure.PodToClusterIp.Id, Mode.Ebpf, 1, 1000, 10, 20, 30, [new(10, 600), new(20, 390), new(30, 9), new(40, 1)]);

        Assert.Equal(
            [new(0.5, 10), new(0.6, 10), new(0.99, 20), new(0.999, 30)], Quantiles.Between(durations, 0.5, 0.999));
        Assert.Equal(new Quantile(0, 10), Quantiles.Between(durations, 0, 0.999)[0]);
    }

    private static bool Holds(Scale scale, double low, double high) =>
        scale.Low <= low * (1 + 1e-6) && scale.High >= high * (1 - 1e-6) && scale.Ticks.Count is >= 2 and <= 40
        && scale.Of(low) is >= 0 and <= 1 && scale.Of(high) >= scale.Of(low);
}
