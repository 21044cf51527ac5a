// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Live.Tests.Support;

/// <summary>Traffic that goes on while the test does something else.</summary>
internal sealed class TrafficStream(LineProcess process) : IAsyncDisposable
{
    private const string Progress = "\"event\":\"bucket\"";

    /// <summary>Until at least one conversation has begun and ended after this call.</summary>
    public async Task FlowAsync()
    {
        // The first bucket to begin may have done so before the call.
        for (int i = 0; i < 2; i++)
            await process.WaitForLineAsync(Progress, process.LineCount);
    }

    public async Task<ProbeReport> StopAsync()
    {
        await process.TerminateAsync();
        return ProbeReport.Parse(await process.WaitForLineAsync("\"buckets\""));
    }

    public ValueTask DisposeAsync() => process.DisposeAsync();
}
