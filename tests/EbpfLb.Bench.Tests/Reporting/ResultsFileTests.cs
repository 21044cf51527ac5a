// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Bench.Comparison.Reporting;
using EbpfLb.Bench.Comparison.Results;

namespace EbpfLb.Bench.Tests.Reporting;

public sealed class ResultsFileTests
{
    [Fact]
    public void What_was_written_is_read()
    {
        var run = MadeUpRun.Whole().With(Measure.PodToClusterIp, Mode.Ebpf, 7, 1.0 / 3, 1e-9, 12345678.9).On("name \u202e \"", "a\nb").Run;

        var read = ResultsFile.Parse(ResultsFile.Text(run), "results.json");

        Assert.Equal(run.Environment, read.Environment);
        Assert.Equal(run.Method.Modes, read.Method.Modes);
        Assert.Equal(run.Method.Duration, read.Method.Duration);
        Assert.Equal(run.NotMeasured, read.NotMeasured);
        Assert.Equal(run.Series.Count, read.Series.Count);
        Assert.Equal(run.Series.SelectMany(series => series.Rounds), read.Series.SelectMany(series => series.Rounds));
        Assert.Equal(
            run.Distributions.SelectMany(durations => durations.Buckets), read.Distributions.SelectMany(durations => durations.Buckets));
        Assert.Equal(ResultsFile.Text(run), ResultsFile.Text(read));
    }

    [Fact]
    public void Files_without_losses_are_read_and_losses_are_kept()
    {
        var told = new Series(Measure.UdpPackets.Id, Mode.Ebpf, 1, [1, 2], [3, 0], [0.5, 0.25]);
        var run = new MadeUpRun().With(Measure.UdpPackets, Mode.Direct, 1, 1, 2).Run;

        var read = ResultsFile.Parse(ResultsFile.Text(run with { Series = [.. run.Series, told] }), "results.json");

        Assert.Null(read.Series[0].Failures);
        Assert.Equal(told.Failures, read.Series[1].Failures);
        Assert.Equal(told.GeneratorShare, read.Series[1].GeneratorShare);
        string loss = Assert.Single(Loss.Of(new Figures(read))).ToString();
        Assert.Contains("UDP through a NodePort, EbpfLb, 1 service", loss, StringComparison.Ordinal);
    }

    [Fact]
    public void A_newer_schema_is_refused_before_the_rest_is_understood()
    {
        string message = Refusal("""{"schema": 2, "everything": "else"}""");

        Assert.Contains("'results.json' has schema 2, and this program reads schema 1", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}", "no number 'schema'")]
    [InlineData("[]", "no number 'schema'")]
    [InlineData("""{"schema": "1"}""", "no number 'schema'")]
    [InlineData("no JSON", "is not the result of a comparison")]
    [InlineData("""{"schema": 1}""", "environment")]
    [InlineData("""{"schema": 1, "environment": null}""", "environment")]
    public void What_is_no_result_is_refused_with_what_is_wrong(string text, string expected) =>
        Assert.Contains(expected, Refusal(text), StringComparison.OrdinalIgnoreCase);

    [Fact]
    public void Names_that_are_not_known_are_refused_and_shown_without_what_a_terminal_would_obey()
    {
        var run = new MadeUpRun().With(Measure.PodToClusterIp, "ip\u001b[31m", 1, 1).Run;

        Assert.Contains(@"a mode 'ip\u001b[31m'", Refusal(ResultsFile.Text(run)), StringComparison.Ordinal);
        Assert.Contains(
            "a measure 'tcp-moon'",
            Refusal(ResultsFile.Text(run).Replace(Measure.PodToClusterIp.Id, "tcp-moon", StringComparison.Ordinal)),
            StringComparison.Ordinal);
    }

    private static string Refusal(string text) => Assert.Throws<BenchException>(() => ResultsFile.Parse(text, "results.json")).Message;
}
