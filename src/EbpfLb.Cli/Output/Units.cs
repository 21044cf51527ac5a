// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;

namespace EbpfLb.Cli.Output;

/// <summary>Quantities for people: two digits of attention, not nine of precision.</summary>
internal static class Units
{
    /// <summary>"0s", "45s", "3m12s", "5h7m", "12d3h".</summary>
    public static string Of(TimeSpan time)
    {
        long seconds = (long)time.TotalSeconds;
        return seconds switch
        {
            < 60 => $"{seconds}s",
            < 3600 => Two(seconds / 60, "m", seconds % 60, "s"),
            < 86400 => Two(seconds / 3600, "h", seconds % 3600 / 60, "m"),
            _ => Two(seconds / 86400, "d", seconds % 86400 / 3600, "h"),
        };
    }

    /// <summary>"512B", "1.5KiB", "64MiB".</summary>
    public static string OfBytes(ulong bytes)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB"];
        double value = bytes;
        int unit = 0;
        for (; value >= 1024 && unit < units.Length - 1; unit++)
            value /= 1024;
        return string.Create(CultureInfo.InvariantCulture, $"{value:0.#}{units[unit]}");
    }

    /// <summary>"0%", "&lt;1%", "81%". Full is full, and nothing else is.</summary>
    public static string OfShare(double share) => share switch
    {
        0 => "0%",
        < 0.01 => "<1%",
        < 1 => string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(share * 100)}%"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{share * 100:0}%"),
    };

    private static string Two(long large, string largeUnit, long small, string smallUnit) =>
        small == 0 ? $"{large}{largeUnit}" : $"{large}{largeUnit}{small}{smallUnit}";
}
