// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;

namespace EbpfLb.Bench.Comparison;

/// <summary>
/// What the whole kernel has allocated for itself. Rules are accounted nowhere by themselves, so they are what this grows by when they are
/// loaded: true of thousands on a quiet machine, and of nothing less.
/// </summary>
internal static class KernelMemory
{
    /// <summary>With fewer, the machine's own coming and going is as large.</summary>
    public const int LeastServices = 1000;

    // Objects of a table that went are freed after a grace period, by a worker.
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(500);

    private static readonly string[] Counted = ["SUnreclaim:", "VmallocUsed:", "Percpu:"];

    public static double NowMB()
    {
        Thread.Sleep(Settle);
        return File.ReadLines("/proc/meminfo")
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(fields => Counted.Contains(fields[0]))
            .Sum(fields => double.Parse(fields[1], CultureInfo.InvariantCulture)) * 1024 / 1e6;
    }
}
