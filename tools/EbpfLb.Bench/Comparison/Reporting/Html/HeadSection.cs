// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Xml.Linq;
using EbpfLb.Bench.Comparison.Results;

namespace EbpfLb.Bench.Comparison.Reporting.Html;

/// <summary>What a reader takes away who reads nothing else: the ratios that matter, and the goals.</summary>
internal static class HeadSection
{
    public static IEnumerable<XElement> Make(Figures figures)
    {
        var method = figures.Run.Method;
        yield return Markup.Element("h1", "EbpfLb beside kube-proxy's iptables and nftables");
        yield return Markup.Element("p", Markup.Class("lead"),
            "The same services, the same endpoints, the same machine, in turn. "
            + $"Medians of {Words.Count(method.Rounds)} rounds"
            + (method.ProgrammingRounds is { } programming ? $" ({Words.Count(programming)} of programming)" : "")
            + "; ratios are taken within a round.");
        if (method.Quick)
        {
            yield return Markup.Element("p", Markup.Class("warn"),
                "This was a quick run. It shows that everything is measured; its figures are of short turns and few rounds.");
        }

        yield return Markup.Element("div", Markup.Class("tiles"), Tiles(figures));
        yield return Markup.Element("h3", $"Goals, with {Words.Services(Goals.Services)}");
        yield return Markup.Element("ul", Markup.Class("goals"), Goals.Of(figures).Select(Item));
    }

    private static IEnumerable<XElement> Tiles(Figures figures)
    {
        const string rate = "the connections per second";
        string iptables = Words.Name(Mode.Iptables);
        string legacy = Words.Name(Mode.IptablesLegacy);
        return new[]
        {
            Tile(figures, Measure.PodToClusterIp, Mode.Iptables, $"{rate} of {iptables}, pod to ClusterIP"),
            Tile(figures, Measure.PodToClusterIp, Mode.IptablesLegacy, $"{rate} of {legacy}, pod to ClusterIP"),
            Tile(figures, Measure.PodToClusterIp, Mode.Nftables, $"{rate} of nftables, pod to ClusterIP"),
            Tile(figures, Measure.PodToClusterIp, Mode.Direct, "of a connection straight to the pod", asPart: true),
            Tile(figures, Measure.NodePortRemote, Mode.Iptables, $"{rate} of {iptables}, NodePort with its backend on another node"),
            Tile(figures, Measure.EndpointChange, Mode.Iptables, $"sooner than {iptables} at the new backend after an endpoint changed"),
            Tile(figures, Measure.Programming, Mode.Iptables, $"sooner than {iptables} with all services programmed"),
            Tile(figures, Measure.Programming, Mode.IptablesLegacy, $"sooner than {legacy} with all services programmed"),
        }.OfType<XElement>();
    }

    // With the most services that both have.
    private static XElement? Tile(Figures figures, Measure measure, string over, string text, bool asPart = false)
    {
        int services = figures.Counts(measure).LastOrDefault(count => figures.Advantage(measure, over, count) is not null);
        if (figures.Advantage(measure, over, services) is not { } found)
            return null;

        string mark = found.IsNoisy ? Words.NoisyMark : "";
        string shown = asPart ? Words.Percent(found.Median) : Words.Number(found.Median) + "\u00d7";
        string range = asPart ? $"{Words.Percent(found.Min)} to {Words.Percent(found.Max)}" : Words.Range(found);
        return Markup.Element("div", Markup.Class("tile"),
            Markup.Element("b", shown + mark), Markup.Element("span", text),
            Markup.Element("small", $"{range} in {found.Rounds} rounds, {Words.Services(services)}"));
    }

    private static XElement Item(Goal goal)
    {
        string style = goal.Verdict switch
        {
            Verdict.Met => "verdict met",
            Verdict.NotMet => "verdict missed",
            _ => "verdict open",
        };
        return Markup.Element("li",
            Markup.Element("span", Markup.Class(style), Words.Of(goal.Verdict)),
            Markup.Element("span", Markup.Class("what"), goal.Text),
            Markup.Element("span", Markup.Class("found"),
                goal.Found is { } ratio ? Words.Marked(ratio) + " " : null,
                goal.Found is { } range ? Markup.Element("small", $"({Words.Range(range)})") : null,
                goal.Aside is { } aside ? Markup.Element("small", $" {aside}") : null));
    }
}
