// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;

namespace EbpfLb.Bench.Processes;

/// <summary>What /proc tells of a process.</summary>
internal static class ProcessFacts
{
    private const double ClockTicksPerSecond = 100; // USER_HZ, part of the kernel's interface

    public static double ResidentMiB(int pid) => KiB($"/proc/{pid}/status", "VmRSS:") / 1024;

    public static double PeakResidentMiB(int pid) => KiB($"/proc/{pid}/status", "VmHWM:") / 1024;

    public static double ProportionalMiB(int pid) => KiB($"/proc/{pid}/smaps_rollup", "Pss:") / 1024;

    public static double AnonymousMiB(int pid) => KiB($"/proc/{pid}/smaps_rollup", "Anonymous:") / 1024;

    /// <summary>User and system time, threads that ended included.</summary>
    public static double ProcessorMilliseconds(int pid)
    {
        string stat = File.ReadAllText($"/proc/{pid}/stat");
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        long ticks = long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
        return ticks * 1000 / ClockTicksPerSecond;
    }

    /// <summary>How long its threads were ready and had no processor to run on, because others had them.</summary>
    public static double WaitedForProcessorMilliseconds(int pid)
    {
        long nanoseconds = 0;
        foreach (string task in Directory.EnumerateDirectories($"/proc/{pid}/task"))
        {
            try
            {
                nanoseconds += long.Parse(File.ReadAllText(Path.Combine(task, "schedstat")).Split(' ')[1], CultureInfo.InvariantCulture);
            }
            catch (IOException)
            {
                // Ended since it was listed.
            }
        }

        return nanoseconds / 1e6;
    }

    /// <summary>What the kernel accounts to the maps that the process has open, each counted once.</summary>
    public static double MapMiB(int pid)
    {
        var bytesById = new Dictionary<string, long>();
        foreach (string file in Directory.EnumerateFiles($"/proc/{pid}/fdinfo"))
        {
            string[] lines;
            try
            {
                lines = File.ReadAllLines(file);
            }
            catch (IOException)
            {
                continue; // Closed since it was listed.
            }

            if (Field(lines, "map_id:") is { } id && Field(lines, "memlock:") is { } bytes)
                bytesById[id] = long.Parse(bytes, CultureInfo.InvariantCulture);
        }

        return bytesById.Values.Sum() / 1048576.0;
    }

    private static double KiB(string file, string name) =>
        Field(File.ReadAllLines(file), name) is { } text
            ? double.Parse(text.Split(' ')[0], CultureInfo.InvariantCulture)
            : throw new BenchException($"{file} has no {name}");

    private static string? Field(IEnumerable<string> lines, string name) =>
        lines.FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?[name.Length..].Trim();
}
