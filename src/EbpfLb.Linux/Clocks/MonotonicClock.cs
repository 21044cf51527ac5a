// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;

namespace EbpfLb.Linux.Clocks;

/// <summary>
/// The clock of bpf_ktime_get_ns. On Linux that is what <see cref="Stopwatch"/> reads, CLOCK_MONOTONIC in nanoseconds, unless this process is
/// in a time namespace with an offset: programs have none.
/// </summary>
public static class MonotonicClock
{
    public static ulong NowNs => (ulong)Stopwatch.GetTimestamp();
}
