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
    [InlineData(98, 100, "Met")]
    [InlineData(97, 100, "NotMet")]
    [InlineData(95, 90, "Met")]
    [InlineData(94, 90, "NotMet")]
    public void Traffic_without_a_service_is_undisturbed_within_the_noise_of_direct_up_to_a_twentieth(
        double ownPart, double leastDirect, string verdict)
    {
        double[] direct = [leastDirect == 100 ? 98 : leastDirect, 100, 100];
        var run = new MadeUpRun()
            .With(Measure.Bystander, Mode.Ebpf, Many, [.. direct.Select(rate => rate * ownPart / 100)])
            .With(Measure.Bystander, Mode.Direct, Many, direct);

        Assert.Equal(verdict, Of(run, "within noise").Verdict.ToString());
    }

    [Theory]
    [InlineData(90, "Met")]
    [InlineData(89, "NotMet")]
    public void Flat_is_within_ten_percent_beside_direct(double many, string verdict)
    {
        // The machine was half as fast later, for both.
        var run = new MadeUpRun()
            .With(Measure.NodePortRemote, Mode.Ebpf, 1, 200).With(Measure.NodePortRemote, Mode.Direct, 1, 200)
            .With(Measure.NodePortRemote, Mode.Ebpf, Many, many).With(Measure.NodePortRemote, Mode.Direct, Many, 100);

        Assert.Equal(verdict, Of(run, "backend on another node: beside direct").Verdict.ToString());
    }

    [Fact]
    public void Nothing_is_met_that_was_measured_with_fewer_services_only()
    {
        var run = new MadeUpRun().With(Measure.PodToClusterIp, Mode.Ebpf, 100, 100).With(Measure.PodToClusterIp, Mode.Direct, 100, 100);

        Assert.All(Goals.Of(run.Figures), goal => Assert.Equal((Verdict.NotMeasured, (Summary?)null), (goal.Verdict, goal.Found)));
    }

    [Fact]
    public void The_usual_iptables_decides_and_the_older_one_is_told()
    {
        var run = new MadeUpRun().With(Measure.PodToClusterIp, Mode.Ebpf, Many, 100)
            .With(Measure.PodToClusterIp, Mode.Iptables, Many, 20).With(Measure.PodToClusterIp, Mode.IptablesLegacy, Many, 50);

        var goal = Of(run, "4 times the rate of iptables (nf_tables)");

        Assert.Equal((Verdict.Met, "iptables (legacy): 2.00 (2.00 to 2.00)"), (goal.Verdict, goal.Aside));
    }

    private static Goal Of(MadeUpRun run, string text) =>
        Assert.Single(Goals.Of(run.Figures), goal => goal.Text.Contains(text, StringComparison.Ordinal));
}
