// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.RegularExpressions;
using System.Xml.Linq;
using EbpfLb.Bench.Comparison.Reporting;
using EbpfLb.Bench.Comparison.Reporting.Charts;
using EbpfLb.Bench.Comparison.Reporting.Html;
using EbpfLb.Bench.Comparison.Results;

namespace EbpfLb.Bench.Tests.Reporting;

public sealed class ReportTests : IDisposable
{
    private const string Hostile = "<script>alert(1)</script> & \"'\u001b[31m\u202e ]]> -->";

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void The_page_needs_no_other_file_and_no_script()
    {
        string text = ReportPage.Make(MadeUpRun.Whole().Figures);
        var page = XDocument.Parse(text);

        Assert.DoesNotContain(
            page.Descendants(), element => element.Name.LocalName is "script" or "link" or "img" or "iframe" or "object");
        Assert.DoesNotContain(
            page.Descendants().Attributes(), attribute => attribute.Name.LocalName is "src" or "href"
                || attribute.Name.LocalName.StartsWith("on", StringComparison.Ordinal));
        Assert.DoesNotContain("url(", text, StringComparison.Ordinal);
        Assert.DoesNotContain("@import", text, StringComparison.Ordinal);
        Assert.Equal(PageStyle.Css, page.Descendants("style").Single().Value);
    }

    [Fact]
    public void HTML_reads_the_style_as_it_was_written() =>
        Assert.Contains(PageStyle.Css, ReportPage.Make(MadeUpRun.Whole().Figures), StringComparison.Ordinal);

    [Fact]
    public void Every_chart_says_what_it_shows_to_who_sees_none()
    {
        XElement[] charts = [.. XDocument.Parse(ReportPage.Make(MadeUpRun.Whole().Figures)).Descendants(Svg.Namespace + "svg")];

        Assert.True(charts.Length > 2 * Measure.All.Count);
        Assert.All(charts, chart =>
        {
            Assert.Equal("img", chart.Attribute("role")!.Value);
            Assert.NotEmpty(chart.Element(Svg.Namespace + "title")!.Value);
            Assert.NotEmpty(chart.Element(Svg.Namespace + "desc")!.Value);
            Assert.DoesNotContain("NaN", chart.ToString(), StringComparison.Ordinal);
        });
    }

    [Fact]
    public void Text_from_the_file_stays_text_in_every_output()
    {
        var figures = MadeUpRun.Whole().On(Hostile, Hostile).Without(Measure.UdpPackets, Mode.Nftables, 5, Hostile).Figures;
        var terminal = new StringWriter();
        ComparisonOutput.Write(figures.Run, _directory.Path, terminal);
        string page = File.ReadAllText(_directory.Combine("report.html"));

        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
        Assert.Contains(@"\u001b[31m\u202e", XDocument.Parse(page).Root!.Value, StringComparison.Ordinal);
        Assert.Contains(@"\u001b[31m\u202e", terminal.ToString(), StringComparison.Ordinal);
        Assert.All(Directory.GetFiles(_directory.Path).Where(file => !file.EndsWith(".json", StringComparison.Ordinal)), file =>
            Assert.DoesNotContain(File.ReadAllText(file), character => character is '\u001b' or '\u202e'));
        Assert.DoesNotContain(terminal.ToString(), character => character is '\u001b' or '\u202e');
    }

    [Fact]
    public void The_drawing_stands_alone()
    {
        var drawing = XDocument.Parse(SummarySvg.Make(MadeUpRun.Whole().Figures)).Root!;

        Assert.Equal(
            (Svg.Namespace + "svg", "860", "420"), (drawing.Name, drawing.Attribute("width")!.Value, drawing.Attribute("height")!.Value));
        Assert.Contains("prefers-color-scheme:dark", drawing.Element(Svg.Namespace + "style")!.Value, StringComparison.Ordinal);
        Assert.All(Mode.All, mode => Assert.Contains(
            drawing.Descendants(Svg.Namespace + "g"), group => group.Attribute("class")?.Value == mode));
    }

    [Fact]
    public void A_run_without_any_figure_still_has_a_report()
    {
        ComparisonOutput.Write(new MadeUpRun().Run, _directory.Path, new StringWriter());

        XDocument.Load(_directory.Combine("summary.svg"));
        Assert.Contains("not measured", XDocument.Load(_directory.Combine("report.html")).Root!.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void One_number_of_services_and_a_figure_of_zero_can_be_drawn()
    {
        var figures = new MadeUpRun()
            .With(Measure.EndpointChange, Mode.Ebpf, 1, 0, 0).With(Measure.EndpointChange, Mode.Iptables, 1, 0, 5)
            .With(Measure.PodToClusterIp, Mode.Ebpf, 1, 0).With(Measure.PodToClusterIp, Mode.Direct, 1, 0).Figures;

        Assert.DoesNotContain("NaN", ReportPage.Make(figures), StringComparison.Ordinal);
        Assert.DoesNotContain("NaN", SummarySvg.Make(figures), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_noisy_is_marked_wherever_it_is_shown()
    {
        var figures = new MadeUpRun()
            .With(Measure.PodToClusterIp, Mode.Ebpf, 10_000, 300, 400, 500)
            .With(Measure.PodToClusterIp, Mode.Iptables, 10_000, 100, 100, 100).Figures;
        var terminal = new StringWriter();
        TerminalTable.Write(figures, terminal);

        Assert.Matches(@"10,000 +100 +400~ +4\.00~", terminal.ToString());
        Assert.Contains(@"| 400\~ | 4.00\~ (3.00 to 5.00) |", MarkdownTable.Make(figures), StringComparison.Ordinal);
        Assert.Contains("4.00\u00d7~", ReportPage.Make(figures), StringComparison.Ordinal);
    }

    [Fact]
    public void The_table_for_a_page_has_a_row_and_a_meaning_for_each_measure()
    {
        string table = MarkdownTable.Make(MadeUpRun.Whole().Figures);

        Assert.All(Measure.All, measure => Assert.Matches(
            $@"(?m)^\| {Regex.Escape(measure.Title)} .* \| {Regex.Escape(measure.Meaning)} \|$", table));
    }
}
