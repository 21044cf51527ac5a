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
    private const int Headings = 2;
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

    private static double NowMB()
    {
        string[][] caches = [.. File.ReadLines(Slabs).Skip(Headings).Select(Fields)];
        var pages = File.ReadLines("/proc/meminfo").Select(Fields).ToDictionary(fields => fields[0], fields => Number(fields[1]) * 1024);

        // Objects that are in use, not the pages they are on: those stay when objects go, and are there for the next.
        double objects = caches
            .Where(cache => cache[0].StartsWith("kmalloc-", StringComparison.Ordinal)
                && !cache[0].StartsWith("kmalloc-rcl-", StringComparison.Ordinal))
            .Sum(cache => Number(cache[1]) * Number(cache[3]));

        // What kmalloc takes from the page allocator is counted with the slabs and is on none.
        double slabs = caches.Sum(cache => Number(cache[14]) * Number(cache[5]) * Environment.SystemPageSize);
        double large = pages["SReclaimable:"] + pages["SUnreclaim:"] - slabs;
        return (objects + large + pages["VmallocUsed:"] + pages["Percpu:"]) / 1e6;
    }

    private static string[] Fields(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
