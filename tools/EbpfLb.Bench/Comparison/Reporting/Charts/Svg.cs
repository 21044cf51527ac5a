// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Xml.Linq;
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Bench.Comparison.Reporting.Charts;

/// <summary>Elements of a drawing. Whatever text they are given is escaped.</summary>
internal static class Svg
{
    /// <summary>Of all text in a chart, in units of the drawing.</summary>
    public const double FontSize = 12.5;

    public static XNamespace Namespace { get; } = "http://www.w3.org/2000/svg";

    /// <param name="title">The name that a screen reader says.</param>
    public static XElement Root(double width, double height, string title, string description, IEnumerable<XElement> content) =>
        Element("svg", ("viewBox", $"0 0 {Number(width)} {Number(height)}"), ("role", "img"), ("class", "chart"))
            .With([Element("title").With(title), Element("desc").With(description), .. content]);

    public static XElement Group(string style, IEnumerable<XElement> content) => Element("g", ("class", style)).With([.. content]);

    public static XElement Moved(double x, double y, IEnumerable<XElement> content) =>
        Element("g", ("transform", $"translate({Number(x)} {Number(y)})")).With([.. content]);

    public static XElement Text(double x, double y, string text, string style = "", string anchor = "start")
    {
        var element = Element("text", ("x", Number(x)), ("y", Number(y)));
        if (style.Length > 0)
            element.SetAttributeValue("class", style);
        if (anchor != "start")
            element.SetAttributeValue("text-anchor", anchor);
        return element.With(text);
    }

    public static XElement Path(string data, string style) => Element("path", ("d", data), ("class", style));

    public static XElement Box(double x, double y, double width, double height, string style) => Element(
        "rect", ("x", Number(x)), ("y", Number(y)), ("width", Number(width)), ("height", Number(height)), ("class", style));

    public static string Number(double value) => Math.Round(value, 1).ToString(CultureInfo.InvariantCulture);

    /// <summary>Near enough to keep labels apart: no font is at hand.</summary>
    public static double WidthOf(string text) => text.Length * FontSize * 0.55;

    private static XElement Element(string name, params IEnumerable<(string Name, string Value)> attributes) =>
        new(Namespace + name, attributes.Select(attribute => new XAttribute(attribute.Name, attribute.Value)));

    private static XElement With(this XElement element, string text)
    {
        element.Add(PrintableText.Escape(text));
        return element;
    }

    private static XElement With(this XElement element, IReadOnlyList<XElement> children)
    {
        element.Add(children);
        return element;
    }
}
