// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Bench.Comparison.Reporting;
using EbpfLb.Bench.Comparison.Results;

namespace EbpfLb.Bench.Tests.Reporting;

public sealed class GoalsTests
{
    private const int Many = Goals.Services;

    [Theory]
    [InlineData(97, "Met")]
    [InlineData(96.9, "NotMet")]
    public void A_limit_itself_is_good_enough(double own, string verdict)
    {
        var run = new MadeUpRun().With(Measure.PodToClusterIp, Mode.Ebpf, Many, own).With(Measure.PodToClusterIp, Mode.Direct, Many, 100);

        Assert.Equal(verdict, Of(run, "0.97 of the rate of direct").Verdict.ToString());
    }

    [Theory]
    [InlineData(new double[] { 98, 99, 100 }, "Met")]
    [InlineData(new double[] { 97, 98, 99 }, "NotMet")]
    public void Traffic_without_a_service_is_undisturbed_if_a_round_was_as_good_as_direct(double[] own, string verdict)
    {
        var run = new MadeUpRun().With(Measure.Bystander, Mode.Ebpf, Many, own).With(Measure.Bystander, Mode.Direct, Many, 100, 100, 100);

        Assert.Equal(verdict, Of(run, "within noise").Verdict.ToString());
    }

    [Theory]
    [InlineData(90, "Met")]
    [InlineData(89, "NotMet")]
    public void Flat_is_within_ten_percent(double many, string verdict)
    {
        var run = new MadeUpRun().With(Measure.NodePortRemote, Mode.Ebpf, 1, 100).With(Measure.NodePortRemote, Mode.Ebpf, Many, many);

        Assert.Equal(verdict, Of(run, "backend on another node: within 10 %").Verdict.ToString());
    }

    [Fact]
    public void Nothing_is_met_that_was_measured_with_fewer_services_only()
    {
        var run = new MadeUpRun().With(Measure.PodToClusterIp, Mode.Ebpf, 100, 100).With(Measure.PodToClusterIp, Mode.Direct, 100, 100);

        Assert.All(Goals.Of(run.Figures), goal => Assert.Equal((Verdict.NotMeasured, (Summary?)null), (goal.Verdict, goal.Found)));
    }

    private static Goal Of(MadeUpRun run, string text) =>
        Assert.Single(Goals.Of(run.Figures), goal => goal.Text.Contains(text, StringComparison.Ordinal));
}
