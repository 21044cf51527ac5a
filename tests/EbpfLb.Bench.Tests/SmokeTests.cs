// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Bench.Comparison;
using EbpfLb.Bench.Comparison.Reporting;
using EbpfLb.Bench.Comparison.Results;
using EbpfLb.Bench.Comparison.Rules;
using EbpfLb.Bench.Comparison.Traffic;

namespace EbpfLb.Bench.Tests;

/// <summary>
/// One short round of the whole comparison on this machine: that every mode serves, and that nothing is passed over in silence. How fast
/// anything is does not matter here.
/// </summary>
public sealed class SmokeTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(5);

    private readonly string _output = Directory.CreateTempSubdirectory("ebpflb-smoke-").FullName;

    public void Dispose() => Directory.Delete(_output, recursive: true);

    [PrivilegedFact]
    public void AShortRunHasEveryFigureOfEveryModeOrSaysWhyNot()
    {
        using var deadline = new CancellationTokenSource(Deadline);
        int status = CompareCommand.Run(["--compare", "--smoke", "--agent", Agent(), "--output", _output], deadline.Token);
        Assert.Equal(0, status);

        var run = ResultsFile.Read(Path.Combine(_output, ComparisonOutput.ResultsName));
        foreach (int services in run.Method.ServiceCounts)
        {
            foreach (string mode in Mode.All)
                Assert.All(Measure.All, measure => AssertTold(run, measure, mode, services));
        }

        // Reasons may excuse only what is not there to be measured: traffic passes in every mode. Of iptables a machine may have one only.
        string[] there = [.. Mode.All.Where(mode => IptablesVariant.WhyNot(mode, "iptables-restore", deadline.Token) is null)];
        int most = run.Method.ServiceCounts[^1];
        Assert.DoesNotContain(run.NotMeasured, omission =>
            omission.Services == most && there.Contains(omission.Mode)
            && TrafficMeasure.All.Any(taken => taken.Measure.Id == omission.Measure));
        Assert.All(there, mode => Assert.Contains(run.Distributions, durations =>
            durations.Measure == Measure.PodToClusterIp.Id && durations.Mode == mode && durations.Count > 0));
        Assert.All([Mode.Direct, Mode.Nftables, Mode.Ebpf], mode => Assert.Contains(mode, there));
        foreach (string mode in there.Where(mode => mode != Mode.Direct))
        {
            Assert.All(new[] { Measure.EndpointChange, Measure.Programming }, measure => Assert.Contains(
                run.Series, series => series.Measure == measure.Id && series.Mode == mode && series.Services == most));
        }
    }

    private static void AssertTold(Comparison.Results.Comparison run, Measure measure, string mode, int services)
    {
        string what = $"{measure.Id}, {mode}, {services}";
        var series = run.Series.Where(one => one.Measure == measure.Id && one.Mode == mode && one.Services == services).ToArray();
        var reasons = run.NotMeasured.Where(one => one.Measure == measure.Id && one.Mode == mode && one.Services == services).ToArray();
        Assert.True(series.Length + reasons.Length == 1, $"{what}: {series.Length} series, {reasons.Length} reasons");
        Assert.All(series, one => Assert.All(one.Rounds, value => Assert.True(value > 0, $"{what}: {value}")));
        Assert.All(reasons, one => Assert.NotEmpty(one.Reason));
    }

    // What the solution builds, of the configuration that this suite has.
    private static string Agent()
    {
        var framework = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd('/'));
        return Path.Combine(BenchOptions.RepositoryRoot, "src/EbpfLb.Cli/bin", framework.Parent!.Name, framework.Name, "ebpflb");
    }
}
