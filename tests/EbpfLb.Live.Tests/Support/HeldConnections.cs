// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Live.Tests.Support;

/// <summary>Connections that stay open while the test does something else.</summary>
internal sealed class HeldConnections(LineProcess process) : IAsyncDisposable
{
    public async Task<ProbeReport> OpenedAsync() => ProbeReport.Parse(await process.WaitForLineAsync("\"event\":\"open\""));

    /// <summary>Asks each of them for a sign of life; those that give one are in the backends.</summary>
    public Task<ProbeReport> CheckAsync() => SayAsync("check");

    /// <summary>Ends the client's side and hears the other one out.</summary>
    public Task<ProbeReport> EndOwnSideAsync() => SayAsync("half");

    public Task<ProbeReport> ResetAsync() => SayAsync("reset");

    /// <summary>The client's side goes without a word.</summary>
    public Task<ProbeReport> AbandonAsync() => SayAsync("abandon");

    private async Task<ProbeReport> SayAsync(string word)
    {
        int from = process.LineCount;
        await process.WriteLineAsync(word);
        return ProbeReport.Parse(await process.WaitForLineAsync($"\"event\":\"{word}\"", from));
    }

    public ValueTask DisposeAsync() => process.DisposeAsync();
}
