// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Live.Tests.Support;

/// <summary>Traffic that goes on while the test does something else.</summary>
internal sealed class TrafficStream(LineProcess process) : IAsyncDisposable
{
    public async Task<ProbeReport> StopAsync()
    {
        await process.TerminateAsync();
        return ProbeReport.Parse(await process.WaitForLineAsync("\"buckets\""));
    }

    public ValueTask DisposeAsync() => process.DisposeAsync();
}
