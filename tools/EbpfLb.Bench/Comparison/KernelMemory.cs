// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using System.Globalization;

namespace EbpfLb.Bench.Comparison;

/// <summary>
/// What the whole kernel holds of the kinds of memory that rules are made of. Rules are accounted nowhere by themselves, so they are what
/// this grows by when they are loaded: true of thousands, and of nothing less.
/// </summary>
internal static class KernelMemory
{
    /// <summary>With fewer, the machine's own coming and going is as large.</summary>
    public const int LeastServices = 1000;

    private const string Slabs = "/proc/slabinfo";
    private const double Still = 0.5;

    // Objects of a table that went are freed after a grace period, by a worker.
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan MostSettling = TimeSpan.FromSeconds(10);

    public static bool IsTold => File.Exists(Slabs);

    /// <summary>As soon as nothing moves.</summary>
    public static double SettledMB(CancellationToken stopping)
    {
        long start = Stopwatch.GetTimestamp();
        double now = NowMB();
        double before;
        do
        {
            before = now;
            stopping.WaitHandle.WaitOne(Look);
            stopping.ThrowIfCancellationRequested();
            now = NowMB();
        }
        while (Math.Abs(now - before) > Still && Stopwatch.GetElapsedTime(start) < MostSettling);

        return now;
    }

    private static double NowMB() => (ObjectBytes() + PageBytes()) / 1e6;

    // Objects that are in use, not the pages they are on: those stay when objects go, and are there for the next.
    private static double ObjectBytes() => File.ReadLines(Slabs)
        .Where(line => line.StartsWith("kmalloc-", StringComparison.Ordinal) && !line.StartsWith("kmalloc-rcl-", StringComparison.Ordinal))
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .Sum(fields => Number(fields[1]) * Number(fields[3]));

    private static double PageBytes() => File.ReadLines("/proc/meminfo")
        .Where(line => line.StartsWith("VmallocUsed:", StringComparison.Ordinal) || line.StartsWith("Percpu:", StringComparison.Ordinal))
        .Sum(line => Number(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]) * 1024);

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
