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
        string[] entries = Entries(IptablesRules.Everything(Cluster));
        int[] others = PlacesOf("bench/service-");
        int[] target = PlacesOf("bench/target");

        Assert.Equal(1, others.Count(i => i < target.Min()));
        Assert.Equal(2, others.Count(i => i > target.Max()));
        Assert.Contains("-j KUBE-NODEPORTS", entries[^1], StringComparison.Ordinal);

        int[] PlacesOf(string name) =>
            [.. Enumerable.Range(0, entries.Length).Where(i => entries[i].Contains(name, StringComparison.Ordinal))];
    }

    [Fact]
    public void EveryChainThatIsJumpedToIsDeclared()
    {
        string[] lines = [.. Lines(IptablesRules.Setup + IptablesRules.Everything(Cluster))];
        string[] declared = [.. lines.Where(line => line[0] == ':').Select(line => line[1..].Split(' ')[0])];
        var jumped = from line in lines
                     let parts = line.Split(" -j ")
                     where parts.Length == 2 && parts[1].StartsWith("KUBE-", StringComparison.Ordinal)
                     select parts[1].Split(' ')[0];

        Assert.All(jumped, chain => Assert.Contains(chain, declared));
    }

    [Fact]
    public void AnIptablesUpdateNamesAllServicesAndRewritesOne()
    {
        var moved = Cluster with { HasMoved = true };
        string update = IptablesRules.Change(moved, Cluster.Moving, moved.Moving);
        string[] rewritten = [.. Lines(update).Where(line => line.StartsWith(":KUBE-SVC-", StringComparison.Ordinal))];

        Assert.Equal(Entries(IptablesRules.Everything(Cluster)), Entries(update));
        string gone = RuleNames.IptablesEndpoint(Cluster.Moving, Cluster.Moving.Ports[0], Cluster.Moving.Endpoints[0]);
        Assert.Contains($"-X {gone}", Lines(update));
        Assert.Equal([$":{RuleNames.IptablesPort("KUBE-SVC-", Cluster.Moving, Cluster.Moving.Ports[0])} - [0:0]"], rewritten);
    }

    [Fact]
    public void AnNftablesUpdateNamesOneService()
    {
        var moved = Cluster with { HasMoved = true };
        string update = NftablesRules.Change(Cluster.Moving, moved.Moving);

        Assert.All(Lines(update), line => Assert.True(
            line.Contains("bench/zz-moving", StringComparison.Ordinal) || line.Contains("hairpin-connections", StringComparison.Ordinal),
            line));
        Assert.Contains($"0 : {moved.Moving.Endpoints[0].Address} . {moved.Moving.Endpoints[0].Port}", update, StringComparison.Ordinal);
        Assert.DoesNotContain($"0 : {Cluster.Moving.Endpoints[0].Address}", update, StringComparison.Ordinal);
    }

    [Fact]
    public void CommentsGoWhenThereAreManyEndpoints()
    {
        Assert.Contains("bench/target:http cluster IP", IptablesRules.Everything(Cluster), StringComparison.Ordinal);
        Assert.DoesNotContain("bench/target", IptablesRules.Everything(new ComparedCluster(services: 1000)), StringComparison.Ordinal);
    }

    private static string[] Entries(string rules) =>
        [.. Lines(rules).Where(line => line.StartsWith("-A KUBE-SERVICES", StringComparison.Ordinal))];

    private static IEnumerable<string> Lines(string rules) =>
        rules.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line[0] != '#');
}
