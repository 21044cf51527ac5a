// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Bench.Comparison.Reporting;
using EbpfLb.Bench.Comparison.Results;

namespace EbpfLb.Bench.Tests.Reporting;

public sealed class RegressionCheckTests : IDisposable
{
    private const int Services = 1000;

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(3.60, "AsExpected")]
    [InlineData(3.59, "Regressed")]
    [InlineData(4.40, "AsExpected")]
    [InlineData(4.41, "Better")]
    public void A_ratio_may_differ_by_its_noise_and_no_more(double ratio, string finding) =>
        Assert.Equal(finding, Assert.Single(Check(Run(ratio), Expecting(4, noise: 0.1))).Finding.ToString());

    [Fact]
    public void A_noisy_run_is_given_its_own_noise()
    {
        var noisy = new MadeUpRun()
            .With(Measure.PodToClusterIp, Mode.Ebpf, Services, 290, 320, 350)
            .With(Measure.PodToClusterIp, Mode.Iptables, Services, 100, 100, 100);

        var check = Assert.Single(Check(noisy, Expecting(3.9, noise: 0.01)));

        Assert.Equal(Finding.AsExpected, check.Finding);
        Assert.Equal(60.0 / 320, check.Noise, 6);
    }

    [Theory]
    [InlineData(new double[] { 250, 300, 350 }, "TooNoisy", false)]
    [InlineData(new double[] { 285, 390, 450 }, "AsExpected", true)]
    [InlineData(new double[] { 120, 180, 270 }, "Regressed", false)]
    public void Rounds_that_differ_too_much_excuse_nothing(double[] own, string finding, bool isGood)
    {
        var run = new MadeUpRun()
            .With(Measure.PodToClusterIp, Mode.Ebpf, Services, own)
            .With(Measure.PodToClusterIp, Mode.Iptables, Services, 100, 100, 100);

        var checks = Check(run, Expecting(4, noise: 0.01));

        Assert.Equal(finding, Assert.Single(checks).Finding.ToString());
        Assert.Equal(isGood, RegressionCheck.Report(checks, new StringWriter()));
    }

    [Fact]
    public void A_figure_that_our_data_plane_alone_does_not_have_is_a_failure()
    {
        var run = new MadeUpRun()
            .With(Measure.PodToClusterIp, Mode.Iptables, Services, 1).With(Measure.PodToClusterIp, Mode.Direct, Services, 1)
            .With(Measure.PodToClusterIp, Mode.Ebpf, 1, 4).With(Measure.PodToClusterIp, Mode.Iptables, 1, 1);
        var expectation = Expecting(4, noise: 0.1);
        expectation = expectation with
        {
            Advantages = [.. expectation.Advantages, expectation.Advantages[0] with { Services = 1 }],
        };
        var output = new StringWriter();

        Assert.False(RegressionCheck.Report(Check(run, expectation), output));
        Assert.Contains("FAILED    New TCP connections, pod to ClusterIP, 1,000 services", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_quiet_expectation_still_leaves_what_two_runs_differ_by()
    {
        Assert.Equal(Finding.AsExpected, Assert.Single(Check(Run(3.81), Expecting(4, noise: 0))).Finding);
        Assert.Equal(Finding.Regressed, Assert.Single(Check(Run(3.79), Expecting(4, noise: 0))).Finding);
    }

    [Fact]
    public void A_regression_is_told_with_both_figures()
    {
        var output = new StringWriter();

        Assert.False(RegressionCheck.Report(Check(Run(2), Expecting(4, noise: 0.1)), output));
        Assert.Contains(
            "REGRESSED New TCP connections, pod to ClusterIP, 1,000 services, over iptables: "
            + "2.00 (2.00 to 2.00), expected 4.00, noise 10 %",
            output.ToString(), StringComparison.Ordinal);
        Assert.Contains("1 of 1 ratios regressed", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_run_did_not_measure_is_no_regression_unless_it_is_all()
    {
        var expectation = Expecting(4, noise: 0.1);
        var more = expectation with
        {
            Advantages = [.. expectation.Advantages, new ExpectedAdvantage(Measure.CpuSeconds.Id, 10_000, Mode.Nftables, 2, 0.1)],
        };
        var output = new StringWriter();

        Assert.True(RegressionCheck.Report(Check(Run(4), more), output));
        Assert.Contains("1 expected ratios are not in this run", output.ToString(), StringComparison.Ordinal);
        Assert.False(RegressionCheck.Report(Check(new MadeUpRun(), more), output));
        Assert.Contains("Nothing to compare", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_is_as_is_expected_of_it_through_files_and_verbs()
    {
        string results = _directory.Combine("results.json");
        string expectation = _directory.Combine("expectation.json");
        ResultsFile.Write(MadeUpRun.Whole().Run, results);

        Assert.Equal((0, ""), Type("--compare-expect", results, expectation));
        Assert.Equal((0, ""), Type("--compare-check", results, expectation));
        Assert.Equal(4 * 3 * Measure.All.Count, ExpectationFile.Read(expectation).Advantages.Count);

        ResultsFile.Write(
            new MadeUpRun().With(Measure.PodToClusterIp, Mode.Ebpf, 10_000, 1).With(Measure.PodToClusterIp, Mode.Iptables, 10_000, 1).Run,
            results);
        Assert.Equal((1, ""), Type("--compare-check", results, expectation));
    }

    [Fact]
    public void A_file_that_cannot_be_used_is_named()
    {
        string results = _directory.Combine("results.json");
        ResultsFile.Write(Run(1).Run, results);
        string expectation = _directory.Combine("expectation.json");

        Assert.Contains("expectation.json", Type("--compare-check", results, expectation).Errors, StringComparison.Ordinal);
        File.WriteAllText(expectation, """{"schema": 99}""");
        Assert.Contains("schema 99", Type("--compare-check", results, expectation).Errors, StringComparison.Ordinal);
        File.WriteAllText(expectation, """{"schema": 1, "from": []}""");
        Assert.Contains("advantages", Type("--compare-check", results, expectation).Errors, StringComparison.Ordinal);
        Assert.Equal(2, Type("--compare-report", results).Status);
    }

    private static IReadOnlyList<CheckedAdvantage> Check(MadeUpRun run, Expectation expectation) =>
        RegressionCheck.Of(run.Figures, expectation);

    private static MadeUpRun Run(double ratio) => new MadeUpRun()
        .With(Measure.PodToClusterIp, Mode.Ebpf, Services, ratio).With(Measure.PodToClusterIp, Mode.Iptables, Services, 1);

    private static Expectation Expecting(double ratio, double noise) => new(
        Expectation.CurrentSchema, [], [new ExpectedAdvantage(Measure.PodToClusterIp.Id, Services, Mode.Iptables, ratio, noise)]);

    private static (int Status, string Errors) Type(params string[] args)
    {
        Assert.True(ReportVerbs.Has(args));
        var errors = new StringWriter();
        return (ReportVerbs.Run(args, new StringWriter(), errors), errors.ToString());
    }
}
