// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.IO.Pipelines;

namespace EbpfLb.FakeApi.Faults;

/// <summary>The body of a response, in pieces if a rule says so.</summary>
internal sealed class FaultyBody(PipeWriter writer, FaultRule? rule, TimeProvider time)
{
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken aborted)
    {
        if (rule?.ChunkSize is not { } size)
        {
            Append(bytes.Span);
            if (writer.UnflushedBytes > 64 * 1024)
                await FlushAsync(aborted);
            return;
        }
        for (int start = 0; start < bytes.Length; start += size)
        {
            Append(bytes.Slice(start, Math.Min(size, bytes.Length - start)).Span);
            await FlushAsync(aborted);
            if (rule.ChunkDelayMilliseconds is { } delay)
                await Task.Delay(TimeSpan.FromMilliseconds(delay), time, aborted);
        }
    }

    public async ValueTask FlushAsync(CancellationToken aborted)
    {
        await writer.FlushAsync(aborted);
        aborted.ThrowIfCancellationRequested();
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var target = writer.GetSpan();
            int count = Math.Min(target.Length, bytes.Length);
            bytes[..count].CopyTo(target);
            writer.Advance(count);
            bytes = bytes[count..];
        }
    }
}
