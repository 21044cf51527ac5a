// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.RegularExpressions;

namespace EbpfLb.Architecture.Tests;

/// <summary>
/// The tree speaks of the project alone: not of the tracker, of a machine it was written on, or of how it was written. A letter in
/// brackets keeps a pattern from finding itself.
/// </summary>
public sealed partial class WordingTests
{
    // Where a reader is sent, and the name of SVG. Addresses of packages and mirrors are the business of whoever builds.
    private static readonly string[] Hosts =
        ["www.w3.org", "learn.microsoft.com", "dot.net", "kubernetes.io", "docs.kernel.org", "www.gnu.org", "www.apache.org"];

    private static readonly Regex[] Patterns = [TrackerEntry(), MachinePath(), Tool(), WorkingPeriod()];

    private static IEnumerable<(string Place, string Text)> Lines =>
        from file in Repository.Files
        where file != "LICENSE"
        from line in Repository.Lines(file).Select((text, index) => (Number: index + 1, Text: text))
        select ($"{file}:{line.Number}", line.Text);

    [Fact]
    public void No_text_names_an_entry_of_a_tracker() => AssertNowhere(TrackerEntry());

    [Fact]
    public void No_text_names_a_path_of_one_machine() => AssertNowhere(MachinePath());

    [Fact]
    public void No_text_says_how_it_was_written()
    {
        AssertNowhere(Tool());
        AssertNowhere(WorkingPeriod());
    }

    [Fact]
    public void Links_go_to_public_pages_that_explain() => Repository.AssertNone(
        from line in Lines
        from Match link in Host().Matches(line.Text)
        let host = link.Groups[1].Value
        where !Hosts.Contains(host) && !host.EndsWith(".example", StringComparison.Ordinal)
        select $"{line.Place}: {host}");

    [Theory]
    [InlineData("fixes #" + "12")]
    [InlineData("see issue" + " 2")]
    [InlineData("under /roo" + "t/x")]
    [InlineData("cd /wor" + "k/main")]
    [InlineData("asked an A" + "I")]
    [InlineData("made with Claud" + "e")]
    [InlineData("in the next sessio" + "n we")]
    public void What_must_not_be_written_is_recognised(string text) => Assert.Single(Patterns, pattern => pattern.IsMatch(text));

    [Theory]
    [InlineData("session affinity, session-affinity, sessionAffinity")]
    [InlineData("# 12 backends, &#39;, page.html#3, {#row}")]
    [InlineData("/proc/self/root/x, artifacts/work/x, homework/")]
    [InlineData("MAIL, fail, an issuer of 2")]
    public void What_looks_like_it_is_not(string text) => Assert.DoesNotContain(Patterns, pattern => pattern.IsMatch(text));

    private static void AssertNowhere(Regex pattern) => Repository.AssertNone(
        from line in Lines
        where pattern.IsMatch(line.Text)
        select $"{line.Place}: {line.Text.Trim()}");

    // Not an anchor of a link, and not a colour.
    [GeneratedRegex(@"(?<![\w&/(#])#\d{1,6}\b(?!\w)|\b[Ii]ssue[s]? \d+\b")]
    private static partial Regex TrackerEntry();

    [GeneratedRegex(@"(?<![\w.])/(wor[k]|roo[t]|hom[e]/\w+|tmp/w[t])/")]
    private static partial Regex MachinePath();

    [GeneratedRegex(@"\bA[I]\b|"
        + @"(?i:\b(claud[e]|anthropi[c]|opena[i]|chatgp[t]|gp[t]-?\d|copilo[t]|gemin[i]|LL[M]s?|languag[e] model|assistan[t])\b)")]
    private static partial Regex Tool();

    // Of affinity, the word is the field's own.
    [GeneratedRegex(@"(?i)\bsessio[n]s?\b(?!\W*(affinity|$))")]
    private static partial Regex WorkingPeriod();

    [GeneratedRegex(@"https?://([A-Za-z0-9.-]+\.[A-Za-z]{2,})")]
    private static partial Regex Host();
}
