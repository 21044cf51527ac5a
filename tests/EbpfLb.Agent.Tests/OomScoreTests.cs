// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Agent.Tests;

public sealed class OomScoreTests : IDisposable
{
    private readonly TemporaryDirectory _root = new();
    private readonly WarningLog<OomScoreTests> _log = new();

    private string Score => _root.Combine("oom_score_adj");

    public void Dispose() => _root.Dispose();

    [Fact]
    public void It_is_written_where_it_differs()
    {
        File.WriteAllText(Score, "0\n");
        OomScore.Set(Score, -999, _log);
        Assert.Equal("-999", File.ReadAllText(Score));

        File.WriteAllText(Score, "-999\n");
        OomScore.Set(Score, -999, _log);
        // A write would have left no line end.
        Assert.Equal("-999\n", File.ReadAllText(Score));
        Assert.Empty(_log.Lines);
    }

    [Fact]
    public void What_cannot_be_set_is_a_warning_with_the_way_out()
    {
        OomScore.Set(_root.Combine("nowhere/oom_score_adj"), -999, _log);
        string line = Assert.Single(_log.Lines);
        Assert.Contains("-999 was asked for", line, StringComparison.Ordinal);
        Assert.Contains("CAP_SYS_RESOURCE", line, StringComparison.Ordinal);
    }
}
