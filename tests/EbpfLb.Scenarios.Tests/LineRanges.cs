// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Text.RegularExpressions;

namespace EbpfLb.Scenarios.Tests;

/// <summary>A line with <c>{1..3}</c> in it stands for three lines; with two such ranges, for every pair.</summary>
internal static partial class LineRanges
{
    public static string Expand(string text) => string.Join('\n', text.Split('\n').SelectMany(ExpandLine));

    private static IEnumerable<string> ExpandLine(string line)
    {
        if (Range().Match(line) is not { Success: true } match)
            return [line];

        int first = int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
        int last = int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture);
        return Enumerable.Range(first, last - first + 1)
            .SelectMany(number => ExpandLine($"{line[..match.Index]}{number}{line[(match.Index + match.Length)..]}"));
    }

    [GeneratedRegex(@"\{(\d+)\.\.(\d+)\}")]
    private static partial Regex Range();
}
