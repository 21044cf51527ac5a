// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Bench.Comparison.Reporting;
using EbpfLb.Bench.Comparison.Results;

namespace EbpfLb.Bench.Tests.Reporting;

public sealed class SummaryTests
{
    [Theory]
    [InlineData(new double[] { 7 }, 7, 7, 7)]
    [InlineData(new double[] { 9, 1, 5 }, 5, 1, 9)]
    [InlineData(new double[] { 4, 1, 3, 2 }, 2.5, 1, 4)]
    public void The_median_is_the_middle_whatever_the_order(double[] rounds, double median, double min, double max) =>
        Assert.Equal(new Summary(median, min, max, rounds.Length), Summary.Of(rounds));

    [Fact]
    public void A_figure_without_rounds_is_refused() =>
        Assert.Throws<BenchException>(() => Summary.Of([]));

    [Theory]
    [InlineData(100, 115, false)]
    [InlineData(100, 116, true)]
    [InlineData(0, 0, false)]
    public void A_figure_is_noisy_above_fifteen_percent_of_its_median(double median, double max, bool noisy) =>
        Assert.Equal(noisy, Summary.Of([median, median, max]).IsNoisy);

    [Fact]
    public void A_ratio_is_taken_within_each_round()
    {
        // The machine was twice as fast in the second round, for both: the ratio does not see it.
        var ratio = Summary.OfRatio([10, 20, 12], [5, 10, 6])!.Value;

        Assert.Equal(new Summary(2, 2, 2, 3), ratio);
    }

    [Fact]
    public void Of_two_figures_with_different_numbers_of_rounds_those_that_both_have_are_compared() =>
        Assert.Equal(new Summary(2.5, 2, 3, 2), Summary.OfRatio([2, 3, 1000], [1, 1]));

    [Theory]
    [InlineData(new double[] { 1 }, new double[0])]
    [InlineData(new double[] { 1 }, new double[] { 0 })]
    public void There_is_no_ratio_to_nothing(double[] dividends, double[] divisors) =>
        Assert.Null(Summary.OfRatio(dividends, divisors));

    [Fact]
    public void An_advantage_is_above_one_where_less_is_better_as_well()
    {
        var figures = new MadeUpRun()
            .With(Measure.PodToClusterIp, Mode.Ebpf, 10, 300).With(Measure.PodToClusterIp, Mode.Iptables, 10, 100)
            .With(Measure.EndpointChange, Mode.Ebpf, 10, 2).With(Measure.EndpointChange, Mode.Iptables, 10, 100).Figures;

        Assert.Equal(3, figures.Advantage(Measure.PodToClusterIp, Mode.Iptables, 10)!.Value.Median);
        Assert.Equal(50, figures.Advantage(Measure.EndpointChange, Mode.Iptables, 10)!.Value.Median);
        Assert.Null(figures.Advantage(Measure.EndpointChange, Mode.Nftables, 10));
        Assert.Null(figures.Advantage(Measure.EndpointChange, Mode.Iptables, 11));
    }
}
