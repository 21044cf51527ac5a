// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Live.Tests.Support;

/// <summary>Connections that stay open while the test does something else.</summary>
internal sealed class HeldConnections(LineProcess process) : IAsyncDisposable
{
    public async Task<ProbeReport> OpenedAsync() => ProbeReport.Parse(await process.WaitForLineAsync("\"event\":\"open\""));

    /// <summary>Asks each of them for a sign of life; those that give one are in the backends.</summary>
    public async Task<ProbeReport> CheckAsync()
    {
        int from = process.LineCount;
        await process.WriteLineAsync("check");
        return ProbeReport.Parse(await process.WaitForLineAsync("\"event\":\"check\"", from));
    }

    public ValueTask DisposeAsync() => process.DisposeAsync();
}
