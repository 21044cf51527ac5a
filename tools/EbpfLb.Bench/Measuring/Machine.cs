// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Runtime.InteropServices;

namespace EbpfLb.Bench.Measuring;

/// <summary>What a reader has to know of the machine to judge a figure.</summary>
internal static class Machine
{
    public static IReadOnlyList<KeyValuePair<string, string>> Describe() =>
    [
        new("date", TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)),
        new("kernel", File.ReadAllText("/proc/sys/kernel/osrelease").Trim()),
        new("processor", Processor()),
        new("cores", Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture)),
        new("memory", $"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 20} MiB"),
        new("runtime", RuntimeInformation.FrameworkDescription),
        new("load", File.ReadAllText("/proc/loadavg").Trim()),
    ];

    /// <summary>Threads that ran or were ready to, mean of the last minute.</summary>
    public static double Load() => double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);

    private static string Processor() => File.ReadLines("/proc/cpuinfo")
        .Where(line => line.StartsWith("model name", StringComparison.Ordinal))
        .Select(line => line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim())
        .FirstOrDefault() ?? RuntimeInformation.ProcessArchitecture.ToString();
}
