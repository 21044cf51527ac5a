// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers;
using System.Globalization;

namespace EbpfLb.Kubernetes.Configuration;

/// <summary>Durations as Kubernetes writes them, in the notation of Go: 1m30s, 0s, 24h0m0s, 250ms, 1.5h.</summary>
public static class GoDuration
{
    private static readonly SearchValues<char> OfNumbers = SearchValues.Create("0123456789.");

    // 290 years and a bit: what 64 bits of nanoseconds hold.
    private static readonly decimal MaxNanoseconds = long.MaxValue;

    private static readonly (string Name, long Nanoseconds)[] Units =
    [
        ("ns", 1),
        ("us", 1_000),
        ("\u00b5s", 1_000),
        ("\u03bcs", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ];

    /// <summary>Parts below 100 ns are cut off.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out TimeSpan duration)
    {
        duration = default;
        var rest = text;
        bool negative = rest is ['-', ..];
        if (rest is ['-' or '+', ..])
            rest = rest[1..];
        if (rest is "0")
            return true;

        if (rest.IsEmpty)
            return false;

        decimal nanoseconds = 0;
        while (!rest.IsEmpty)
        {
            if (!TryTakePart(ref rest, out decimal part) || (nanoseconds += part) > MaxNanoseconds)
                return false;
        }

        duration = TimeSpan.FromTicks((long)(negative ? -nanoseconds : nanoseconds) / TimeSpan.NanosecondsPerTick);
        return true;
    }

    private static bool TryTakePart(ref ReadOnlySpan<char> rest, out decimal nanoseconds)
    {
        nanoseconds = 0;
        int numberEnd = rest.IndexOfAnyExcept(OfNumbers);
        if (numberEnd <= 0)
            return false;

        var number = rest[..numberEnd];
        rest = rest[numberEnd..];
        int unitEnd = rest.IndexOfAny(OfNumbers);
        var unit = unitEnd < 0 ? rest : rest[..unitEnd];
        rest = rest[unit.Length..];
        // A point alone is no number; one at either end is.
        if (number is "." || !decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal count))
            return false;

        foreach (var (name, size) in Units)
        {
            if (unit.SequenceEqual(name) && count <= MaxNanoseconds / size)
            {
                nanoseconds = count * size;
                return true;
            }
        }

        return false;
    }
}
