// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Xml.Linq;

namespace EbpfLb.Bench.Comparison.Reporting.Html;

/// <summary>report.html: one file that needs no other, and no script.</summary>
internal static class ReportPage
{
    public static string Make(Figures figures) => Markup.Serialize(Markup.Element("html",
        new XAttribute("lang", "en"),
        Markup.Element("head",
            Markup.Element("meta", new XAttribute("charset", "utf-8")),
            Markup.Element("meta", new XAttribute("name", "viewport"), new XAttribute("content", "width=device-width, initial-scale=1")),
            Markup.Element("meta", new XAttribute("name", "color-scheme"), new XAttribute("content", "light dark")),
            Markup.Element("title", "EbpfLb beside iptables and nftables"),
            new XElement("style", PageStyle.Css)),
        Markup.Element("body",
            Markup.Element("main", Sections(figures).SelectMany(section => new object[] { section, new XText("\n") })))));

    private static IEnumerable<XElement> Sections(Figures figures) =>
        new IEnumerable<XElement?>[]
        {
            HeadSection.Make(figures),
            [ScalingSection.Make(figures), RatioSection.Make(figures), LatencySection.Make(figures), ProgrammingSection.Make(figures)],
            [TableSection.Make(figures), LoadSection.Make(figures)],
            MethodSection.Make(figures),
        }.SelectMany(sections => sections).OfType<XElement>();
}
