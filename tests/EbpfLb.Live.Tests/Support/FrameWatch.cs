// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json;

namespace EbpfLb.Live.Tests.Support;

/// <summary>Counts the frames that pass a device. "in tcp 192.0.2.10:40000 &gt; 10.10.0.1:30080 ttl 64 S".</summary>
internal sealed class FrameWatch : IAsyncDisposable
{
    private readonly LineProcess _process;

    private FrameWatch(LineProcess process) => _process = process;

    public static async Task<FrameWatch> StartAsync(IReadOnlyList<string> arguments)
    {
        var process = LineProcess.Start(Programs.Probe, arguments);
        await process.WaitForLineAsync("\"ready\":true");
        return new FrameWatch(process);
    }

    public async Task<IReadOnlyDictionary<string, int>> StopAsync()
    {
        await _process.TerminateAsync();
        using var document = JsonDocument.Parse(await _process.WaitForLineAsync("\"frames\""));
        return document.RootElement.GetProperty("frames").Deserialize<Dictionary<string, int>>()!;
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
