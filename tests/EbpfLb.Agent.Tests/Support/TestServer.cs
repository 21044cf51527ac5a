// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using System.Net.Sockets;
using EbpfLb.Agent.Serving;

namespace EbpfLb.Agent.Tests.Support;

/// <summary>A server on the loopback, and a client that keeps no connection unless told.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly CancellationTokenSource _patience = new(TimeSpan.FromSeconds(60));

    private TestServer(HttpServer server) => Http = server;

    public HttpServer Http { get; }

    public HttpClient Client { get; } = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.Zero });

    public CancellationToken Patience => _patience.Token;

    public static async Task<TestServer> StartAsync()
    {
        var test = new TestServer(new HttpServer(new ServingLimits()));
        await test.Http.StartAsync(test.Patience);
        return test;
    }

    /// <summary>At a port that is free.</summary>
    public IPEndPoint Open(Site site) => Http.Open(new IPEndPoint(IPAddress.Loopback, 0), site, bothFamilies: true).EndPoint;

    public async Task<Reply> GetAsync(IPEndPoint at, string path, HttpMethod? method = null, HttpContent? body = null)
    {
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, $"http://{at}{path}") { Content = body };
        using var response = await Client.SendAsync(request, Patience);
        var headers = response.Headers.Concat(response.Content.Headers)
            .ToDictionary(header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase);
        return new Reply((int)response.StatusCode, headers, await response.Content.ReadAsStringAsync(Patience));
    }

    /// <summary>A port nobody listens at now.</summary>
    public static ushort FreePort(IPAddress? address = null)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(address ?? IPAddress.Any, 0));
        return (ushort)((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Http.DisposeAsync();
        _patience.Dispose();
    }
}

internal sealed record Reply(int Status, IReadOnlyDictionary<string, string> Headers, string Body);
