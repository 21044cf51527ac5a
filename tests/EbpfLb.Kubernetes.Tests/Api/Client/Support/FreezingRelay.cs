// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using System.Net.Sockets;

namespace EbpfLb.Kubernetes.Tests.Api.Client.Support;

/// <summary>Passes bytes on until it freezes; then it takes them and says nothing, like a host that a firewall has cut off.</summary>
internal sealed class FreezingRelay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly int _target;
    private readonly Task _run;
    private volatile bool _frozen;

    public FreezingRelay(int target)
    {
        _target = target;
        _listener.Start();
        _run = RunAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public void Freeze() => _frozen = true;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        using var client = await _listener.AcceptTcpClientAsync(_stop.Token);
        using var server = new TcpClient();
        await server.ConnectAsync(IPAddress.Loopback, _target, _stop.Token);
        await Task.WhenAll(PumpAsync(client, server), PumpAsync(server, client));
    }

    private async Task PumpAsync(TcpClient from, TcpClient to)
    {
        byte[] buffer = new byte[4096];
        while (await from.GetStream().ReadAsync(buffer, _stop.Token) is var length and > 0)
        {
            if (!_frozen)
                await to.GetStream().WriteAsync(buffer.AsMemory(0, length), _stop.Token);
        }
    }
}
