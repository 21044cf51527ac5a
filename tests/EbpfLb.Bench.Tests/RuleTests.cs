// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Bench.Comparison.Rules;
using EbpfLb.Bench.Comparison.Services;

namespace EbpfLb.Bench.Tests;

/// <summary>Whether the rules are what kube-proxy renders: its names, its order, and in an update no more and no less.</summary>
public sealed class RuleTests
{
    private static readonly ComparedCluster Cluster = new(services: 4);

    [Theory]
    [InlineData("ns1/svc1:p80tcp", 16, "XPGD46QRK7WJZT7O")] // KUBE-SVC of kube-proxy's own tests
    [InlineData("ns1/svc1:p80tcp10.180.0.1:80", 16, "SXIVWICOYRO3J4NJ")] // KUBE-SEP
    [InlineData("ns1/svc1/tcp/p80", 8, "ULMVA6XW")] // nftables
    public void NamesAreThoseOfKubeProxy(string text, int length, string hash) => Assert.Equal(hash, RuleNames.Hash(text, length));

    [Fact]
    public void TheDialledServiceIsInTheMiddleOfTheOthers()
    {
        string[] entries = [.. Lines(IptablesRules.Everything(Cluster)).Where(line => line.StartsWith("-A KUBE-SERVICES", StringComparison.Ordinal))];
        int[] others = [.. Enumerable.Range(0, entries.Length).Where(i => entries[i].Contains("bench/service-", StringComparison.Ordinal))];
        int[] target = [.. Enumerable.Range(0, entries.Length).Where(i => entries[i].Contains("bench/target", StringComparison.Ordinal))];

        Assert.Equal(1, others.Count(i => i < target.Min()));
        Assert.Equal(2, others.Count(i => i > target.Max()));
        Assert.Contains("-j KUBE-NODEPORTS", entries[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void EveryChainThatIsJumpedToIsDeclared()
    {
        string[] lines = [.. Lines(IptablesRules.Setup + IptablesRules.Everything(Cluster))];
        string[] declared = [.. lines.Where(line => line[0] == ':').Select(line => line[1..].Split(' ')[0])];
        string[] jumped = [.. lines.Select(line => line.Split(" -j ")).Where(parts => parts.Length == 2).Select(parts => parts[1].Split(' ')[0])];

        Assert.All(jumped.Where(chain => chain.StartsWith("KUBE-", StringComparison.Ordinal)), chain => Assert.Contains(chain, declared));
    }

    [Fact]
    public void AnIptablesUpdateNamesAllServicesAndRewritesOne()
    {
        string update = IptablesRules.Change(Cluster, Cluster.Moving);
        string[] entries = [.. Lines(update).Where(line => line.StartsWith("-A KUBE-SERVICES", StringComparison.Ordinal))];
        string[] rewritten = [.. Lines(update).Where(line => line.StartsWith(":KUBE-SVC-", StringComparison.Ordinal))];

        Assert.Equal(Lines(IptablesRules.Everything(Cluster)).Count(line => line.StartsWith("-A KUBE-SERVICES", StringComparison.Ordinal)), entries.Length);
        Assert.Equal([$":{RuleNames.IptablesPort("KUBE-SVC-", Cluster.Moving, Cluster.Moving.Ports[0])} - [0:0]"], rewritten);
    }

    [Fact]
    public void AnNftablesUpdateNamesOneService()
    {
        var moved = Cluster with { HasMoved = true };
        string update = NftablesRules.Change(Cluster.Moving, moved.Moving);

        Assert.All(Lines(update), line => Assert.True(
            line.Contains("bench/zz-moving", StringComparison.Ordinal) || line.Contains("hairpin-connections", StringComparison.Ordinal), line));
        Assert.Contains($"0 : {moved.Moving.Endpoints[0].Address} . {moved.Moving.Endpoints[0].Port}", update, StringComparison.Ordinal);
        Assert.DoesNotContain($"dnat to numgen random mod 1 map {{ 0 : {Cluster.Moving.Endpoints[0].Address}", update, StringComparison.Ordinal);
    }

    [Fact]
    public void CommentsGoWhenThereAreManyEndpoints()
    {
        Assert.Contains("bench/target:http cluster IP", IptablesRules.Everything(Cluster), StringComparison.Ordinal);
        Assert.DoesNotContain("bench/target", IptablesRules.Everything(new ComparedCluster(services: 1000)), StringComparison.Ordinal);
    }

    private static IEnumerable<string> Lines(string rules) =>
        rules.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line[0] != '#');
}
