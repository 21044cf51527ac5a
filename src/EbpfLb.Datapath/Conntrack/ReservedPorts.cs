// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;

namespace EbpfLb.Datapath.Conntrack;

/// <summary>The text of net.ipv4.ip_local_reserved_ports: ports and ranges, in order, with commas.</summary>
public static class ReservedPorts
{
    /// <summary>The list with a range added; null when the range is in it already.</summary>
    /// <exception cref="FormatException">The text is no such list.</exception>
    public static string? Add(string text, int first, int last)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ranges = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(Parse).ToList();
        if (Merge(ranges).Any(range => range.First <= first && last <= range.Last))
            return null;

        ranges.Add((first, last));
        return string.Join(',', Merge(ranges).Select(range => range.First == range.Last
            ? string.Create(CultureInfo.InvariantCulture, $"{range.First}")
            : string.Create(CultureInfo.InvariantCulture, $"{range.First}-{range.Last}")));
    }

    private static (int First, int Last) Parse(string text)
    {
        string[] ends = text.Split('-');
        if (ends.Length <= 2 && TryParsePort(ends[0], out int first) && TryParsePort(ends[^1], out int last) && first <= last)
            return (first, last);

        throw new FormatException($"'{text}' is no port and no range of ports");
    }

    private static bool TryParsePort(string text, out int port) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port <= ushort.MaxValue;

    private static List<(int First, int Last)> Merge(IEnumerable<(int First, int Last)> ranges)
    {
        var merged = new List<(int First, int Last)>();
        foreach (var range in ranges.Order())
        {
            if (merged.Count > 0 && range.First <= merged[^1].Last + 1)
                merged[^1] = (merged[^1].First, Math.Max(merged[^1].Last, range.Last));
            else
                merged.Add(range);
        }

        return merged;
    }
}
