// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;

namespace EbpfLb.Bench.Api;

/// <summary>Changes of one slice each, at a steady rate, and how long it took each from the server's write to the map entry.</summary>
internal sealed class SliceChanges(FakeApiProcess api, EntryWatch watch, int services)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    // Prime: neighbours do not change one after the other, and no service again before all others have.
    private const int Stride = 7919;

    private long _done;

    /// <returns>Milliseconds, in the order of the changes.</returns>
    public async Task<double[]> RunAsync(int changes, TimeSpan interval, CancellationToken stopping)
    {
        var latencies = new List<Task<double>>(changes);
        long start = Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
        while (latencies.Count < changes && await timer.WaitForNextTickAsync(stopping))
        {
            long due = Math.Min(changes, (long)(Stopwatch.GetElapsedTime(start) / interval) + 1);
            while (latencies.Count < due)
                latencies.Add(ChangeAsync(_done++, stopping));
        }

        return await Task.WhenAll(latencies).WaitAsync(Patience, stopping);
    }

    // Not ready, ready, elsewhere, and back: an address that is not served may change without an effect.
    private bool IsMove(long number) => number / services % 4 >= 2;

    private async Task<double> ChangeAsync(long number, CancellationToken stopping)
    {
        int slice = (int)(number * Stride % services);
        var seen = watch.Next(FakeApiProcess.ServiceName(slice));
        long written = await api.ChangeAsync(slice, IsMove(number), stopping);
        return Stopwatch.GetElapsedTime(written, await seen.WaitAsync(Patience, stopping)).TotalMilliseconds;
    }
}
