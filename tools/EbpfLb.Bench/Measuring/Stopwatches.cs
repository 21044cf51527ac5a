// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;

namespace EbpfLb.Bench.Measuring;

internal static class Stopwatches
{
    public static double MillisecondsSince(long start) => Stopwatch.GetElapsedTime(start).TotalMilliseconds;

    public static double Time(Action action)
    {
        long start = Stopwatch.GetTimestamp();
        action();
        return MillisecondsSince(start);
    }
}
