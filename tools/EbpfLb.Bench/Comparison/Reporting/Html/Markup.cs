// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Xml.Linq;
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Bench.Comparison.Reporting.Html;

/// <summary>Elements of a page. Whatever text they are given is escaped.</summary>
internal static class Markup
{
    // HTML has an end for every element but these, also where nothing is in it.
    private static readonly string[] Void = ["meta", "br", "hr"];

    public static XElement Element(string name, params IEnumerable<object?> content)
    {
        var element = new XElement(name, content.Select(item => item is string text ? PrintableText.Escape(text) : item));
        if (element.IsEmpty && !Void.Contains(name))
            element.Add("");
        return element;
    }

    public static XAttribute Class(string names) => new("class", names);

    public static XElement Paragraph(params IEnumerable<object?> content) => Element("p", content);

    public static XElement Section(string id, string title, params IEnumerable<object?> content) =>
        Element("section", [new XAttribute("id", id), Element("h2", title), .. content]);

    /// <summary>Wider than a phone, perhaps: it scrolls by itself then, and the page does not.</summary>
    public static XElement Scrolling(string label, XElement table) => Element(
        "div", Class("scroll"), new XAttribute("role", "region"), new XAttribute("aria-label", PrintableText.Escape(label)),
        new XAttribute("tabindex", "0"), table);

    public static XElement Figure(string title, string? unit, string? meaning, XElement chart) => Element(
        "figure",
        Element("figcaption",
            Element("b", title), unit is null ? null : Element("span", unit), meaning is null ? null : Element("p", meaning)),
        chart);

    public static XElement Code(string text) => Element("code", text);

    public static string Serialize(XElement page) => "<!DOCTYPE html>\n" + page.ToString(SaveOptions.DisableFormatting) + "\n";
}
