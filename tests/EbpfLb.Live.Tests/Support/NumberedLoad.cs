// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json;

namespace EbpfLb.Live.Tests.Support;

/// <summary>Numbered datagrams at a rate from one place, and a count of those that came in another.</summary>
internal sealed class NumberedLoad : IAsyncDisposable
{
    private readonly LineProcess _counter;
    private readonly LineProcess _pour;

    private NumberedLoad(LineProcess counter, LineProcess pour)
    {
        _counter = counter;
        _pour = pour;
    }

    /// <param name="port">Where the pod counts.</param>
    public static async Task<NumberedLoad> StartAsync(Client client, Target target, Client pod, int port, int rate, int count)
    {
        var counter = await pod.CountAsync(port);
        return new NumberedLoad(counter, client.Pour(target, rate, count));
    }

    public bool HasEnded => _pour.HasExited;

    /// <summary>After the last datagram was sent.</summary>
    public async Task<NumberedReport> EndAsync(TimeSpan atMost)
    {
        using var deadline = new CancellationTokenSource(atMost);
        while (!_pour.HasExited)
        {
            Assert.False(deadline.IsCancellationRequested, $"still sending after {atMost}");
            await Task.Delay(50);
        }

        long sent = Number(await _pour.WaitForLineAsync("\"sent\""), "sent");
        await _counter.TerminateAsync();
        string counted = await _counter.WaitForLineAsync("\"received\"");
        return new NumberedReport(sent, Number(counted, "received"), Number(counted, "twice"), Number(counted, "overflows"));
    }

    public async ValueTask DisposeAsync()
    {
        await _pour.DisposeAsync();
        await _counter.DisposeAsync();
    }

    private static long Number(string json, string name)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.GetProperty(name).GetInt64();
    }
}
