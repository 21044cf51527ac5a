// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using System.Globalization;
using System.Threading.Channels;

namespace EbpfLb.FakeApi.Bulk;

/// <summary>Changes slices at a steady rate, readiness and address in turn, and writes down when each change was sent.</summary>
/// <param name="log">A line for each change that a watch was sent, nearly in their order; null for none.</param>
public sealed class Churn(BulkCluster cluster, double changesPerSecond, TextWriter? log)
{
    public const string LogHeader = "service,slice,resource_version,address,ready,changed_ns,written_ns";

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(2);

    // Prime: neighbours do not change one after the other.
    private const int Stride = 7919;

    private readonly Channel<SliceChange> _sent = Channel.CreateUnbounded<SliceChange>(new UnboundedChannelOptions { SingleReader = true });

    public async Task RunAsync(CancellationToken stopping)
    {
        var writing = WriteAsync();
        try
        {
            await ChangeAsync(stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The regular end.
        }
        _sent.Writer.Complete();
        await writing;
    }

    private async Task ChangeAsync(CancellationToken stopping)
    {
        long start = Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(Tick);
        for (long done = 0; await timer.WaitForNextTickAsync(stopping);)
        {
            for (; done < Stopwatch.GetElapsedTime(start).TotalSeconds * changesPerSecond; done++)
            {
                int slice = (int)(done * Stride % cluster.SliceCount);
                var change = cluster.Change(slice, done / cluster.SliceCount % 2 == 0 ? ChangeKind.Ready : ChangeKind.Address);
                _ = change.Event.Written.ContinueWith(
                    _ => _sent.Writer.TryWrite(change),
                    CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }
        }
    }

    private async Task WriteAsync()
    {
        if (log is not null)
            await log.WriteLineAsync(LogHeader);
        await foreach (var change in _sent.Reader.ReadAllAsync())
        {
            if (log is null)
                continue;
            long written = await change.Event.Written;
            await log.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"{change.Service},{change.Slice},{change.Event.ResourceVersion},{change.Address},{change.Ready},"
                + $"{change.Event.ChangedAt},{written}"));
            await log.FlushAsync();
        }
    }
}
