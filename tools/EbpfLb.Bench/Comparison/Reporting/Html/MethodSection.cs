// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Xml.Linq;
using EbpfLb.Bench.Comparison.Results;

namespace EbpfLb.Bench.Comparison.Reporting.Html;

/// <summary>What was done, on what, what was left out, and how to do it again.</summary>
internal static class MethodSection
{
    public static IEnumerable<XElement> Make(Figures figures)
    {
        yield return HowItWasMeasured(figures.Run.Method);
        if (figures.Run.NotMeasured.Count > 0)
            yield return NotMeasured(figures.Run);
        yield return Environment(figures.Run);
        yield return HowToReproduce();
    }

    private static XElement HowItWasMeasured(Method method) => Markup.Section(
        "method", "How it was measured",
        Markup.Paragraph(
            "Two nodes, their pods and a client outside are network namespaces of one machine, wired with veth pairs. Five modes "
            + "bring the same connections to the same servers:"),
        Markup.Element("ul",
            Mode("direct", Results.Mode.Direct,
                " no service: the pod itself is dialled. It is the ceiling of the generator and of the machine together."),
            Mode(Words.Name(Results.Mode.Iptables), Results.Mode.Iptables,
                " the chains that kube-proxy's iptables mode renders for these services, rendered by this project, kept in nf_tables."),
            Mode(Words.Name(Results.Mode.IptablesLegacy), Results.Mode.IptablesLegacy,
                " the same chains loaded by the older iptables, whose rules cost less each."),
            Mode("nftables", Results.Mode.Nftables, " the sets, chains and verdict maps of its nftables mode, in the same way."),
            Mode("EbpfLb", Results.Mode.Ebpf,
                " this project's agent: sockets of the node are connected to the backend, packets from outside are translated by "
                + (method.Xdp == "off" ? "tc." : "XDP."))),
        Markup.Paragraph(string.Create(
            CultureInfo.InvariantCulture,
            $"Modes take turns within each of {method.Rounds} rounds, {method.Seconds:0.###} s each after a warm-up, so that whatever the ")
            + "machine does meanwhile meets all of them. What is compared was measured in the same round. "
            + $"Services, dialled one and idle ones together: {string.Join(", ", method.ServiceCounts.Select(Words.Count))}; "
            + $"the idle ones have {method.EndpointsPerService} endpoint{(method.EndpointsPerService == 1 ? "" : "s")} each. "
            + (method.ProgrammingRounds is { } programming ? $"All services are programmed anew {(programming == 1 ? "once" : $"{programming} times")}. " : "")
            + $"The run took {Words.Milliseconds(method.Duration * 1000)}."),
        Markup.Paragraph(
            "Clients are in a closed loop: 16 of them (64 on kept connections and for UDP) have an operation under way at any time, so the "
            + "processors are saturated, and a duration is that of a full machine, near the number of clients divided by the rate. "
            + "Processor time is that of the whole machine, so it is near the inverse of the rate. A new connection carries one byte, from "
            + "the server, and ends in a reset: it shows the cost of the connection and of nothing that follows."),
        Markup.Paragraph(
            "iptables and nftables translate by conntrack, so each of their connections makes an entry and each of their packets finds it. "
            + "Straight to the pod, and with EbpfLb, nothing asks for conntrack here, and the stack keeps no entries. On a node whose "
            + "network plugin or firewall uses conntrack anyhow, every mode pays for the entries; the ratios would be smaller there, and a "
            + "connection of EbpfLb dearer than here."),
        Markup.Paragraph(
            "kube-proxy itself does not run: what it computes for a change, and the second it waits between two changes, are left out, in "
            + "favour of those modes. Our agent is measured with all of it. Client, servers and node share the processors, which pulls "
            + "ratios towards 1."),
        Markup.Paragraph($"{Words.NoisyMeans}: such a figure says little, and so does a ratio made from it."));

    private static XElement Mode(string name, string style, string text) =>
        Markup.Element("li", Markup.Element("b", Markup.Class(style), name), text);

    private static XElement NotMeasured(Results.Comparison run) => Markup.Section(
        "omissions", "What was not measured",
        Markup.Scrolling("What was not measured", Markup.Element("table", Markup.Class("text"),
            Markup.Element("thead", Row("measure", "mode", "with", "why")),
            Markup.Element("tbody", OmissionGroup.Of(run).Select(omission => Markup.Element("tr",
                Markup.Element("td", omission.What), Markup.Element("td", omission.Modes), Markup.Element("td", omission.Services),
                Markup.Element("td", omission.Reason)))))));

    private static XElement Environment(Results.Comparison run) => Markup.Section(
        "environment", "Where it was measured",
        Markup.Scrolling("Environment", Markup.Element("table", Markup.Class("text"),
            Markup.Element("tbody", run.Environment.Select(fact => Markup.Element("tr",
                Markup.Element("th", new XAttribute("scope", "row"), fact.Name), Markup.Element("td", fact.Value)))))));

    private static XElement HowToReproduce() => Markup.Section(
        "reproduce", "How to measure it again",
        Markup.Paragraph(
            "As root, in a copy of the project: ", Markup.Code("make bench"), " measures and writes this page; ",
            Markup.Code("make bench QUICK=1"), " is a first look; ", Markup.Code("make bench-check"),
            " compares the ratios of the last run with those that are committed. Everything happens in namespaces of its own, which are "
            + "removed at the end."));

    private static XElement Row(params IEnumerable<string> texts) =>
        Markup.Element("tr", texts.Select(text => Markup.Element("th", new XAttribute("scope", "col"), text)));
}
