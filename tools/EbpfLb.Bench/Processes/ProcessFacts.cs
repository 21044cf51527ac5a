// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;

namespace EbpfLb.Bench.Processes;

/// <summary>What /proc tells of a process.</summary>
internal static class ProcessFacts
{
    private const double ClockTicksPerSecond = 100; // USER_HZ, part of the kernel's interface

    public static double ResidentMB(int pid) => Megabytes($"/proc/{pid}/status", "VmRSS:");

    public static double PeakResidentMB(int pid) => Megabytes($"/proc/{pid}/status", "VmHWM:");

    public static double ProportionalMB(int pid) => Megabytes($"/proc/{pid}/smaps_rollup", "Pss:");

    public static double AnonymousMB(int pid) => Megabytes($"/proc/{pid}/smaps_rollup", "Anonymous:");

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
    public static double MapMB(int pid)
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

        return bytesById.Values.Sum() / 1e6;
    }

    // The files count in units of 1024 bytes, whatever they call them.
    private static double Megabytes(string file, string name) =>
        Field(File.ReadAllLines(file), name) is { } text
            ? double.Parse(text.Split(' ')[0], CultureInfo.InvariantCulture) * 1024 / 1e6
            : throw new BenchException($"{file} has no {name}");

    private static string? Field(IEnumerable<string> lines, string name) =>
        lines.FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?[name.Length..].Trim();
}
