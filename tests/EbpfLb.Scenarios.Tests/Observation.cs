// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text;
using System.Text.RegularExpressions;

namespace EbpfLb.Scenarios.Tests;

/// <summary>What a step left behind.</summary>
/// <param name="Maps">Canonical text.</param>
/// <param name="Problems">One line each: what it is about, and the message.</param>
internal sealed partial record Observation(string Maps, string Problems)
{
    /// <summary><see cref="Maps"/> with equal kinds of backend lines that follow each other counted.</summary>
    public string Summary
    {
        get
        {
            var text = new StringBuilder();
            foreach (var group in RunsOf(Maps.Split('\n', StringSplitOptions.RemoveEmptyEntries)))
                text.Append(group.Count == 1 ? group.Line : $"  {group.Kind}, {group.Count} backends").Append('\n');
            return text.ToString();
        }
    }

    private static IEnumerable<(string Line, string Kind, int Count)> RunsOf(string[] lines)
    {
        for (int i = 0; i < lines.Length;)
        {
            string kind = KindOf(lines[i]);
            int count = 1;
            while (kind.Length > 0 && i + count < lines.Length && KindOf(lines[i + count]) == kind)
                count++;
            yield return (lines[i], kind, count);
            i += count;
        }
    }

    // The line without its address; empty for a line that is not of a backend.
    private static string KindOf(string line) =>
        BackendLine().Match(line) is { Success: true } match ? match.Groups[1].Value + match.Groups[2].Value : "";

    [GeneratedRegex(@"^  (cluster|local) \S+(.*)$")]
    private static partial Regex BackendLine();
}
