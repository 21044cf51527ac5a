// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace EbpfLb.Agent.Serving;

/// <summary>HTTP/1.1 for GET and HEAD at any number of ports, each with a site of its own. Any thread may open one.</summary>
internal sealed class HttpServer : IHttpApplication<IFeatureCollection>, IAsyncDisposable
{
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(1);

    private readonly ServingLimits _limits;
    private readonly ConnectionQueue _queue = new();
    private readonly SocketConnectionContextFactory _connections;
    private readonly KestrelServer _kestrel;

    public HttpServer(ServingLimits limits)
    {
        _limits = limits;
        var options = new KestrelServerOptions { AddServerHeader = false };
        options.Limits.MaxRequestHeadersTotalSize = limits.HeaderBytes;
        options.Limits.MaxRequestBufferSize = limits.HeaderBytes;
        options.Limits.MaxRequestHeaderCount = 100;
        options.Limits.MaxRequestBodySize = 0;
        options.Limits.RequestHeadersTimeout = limits.HeaderTimeout;
        options.Limits.KeepAliveTimeout = limits.KeepAlive;
        options.Listen(_queue.EndPoint, listen => listen.Protocols = HttpProtocols.Http1);
        // What it would log is about clients that misbehave, and there is no end of that.
        _kestrel = new KestrelServer(Options.Create(options), _queue, NullLoggerFactory.Instance);
        _connections = new SocketConnectionContextFactory(
            new SocketConnectionFactoryOptions { MaxReadBufferSize = limits.HeaderBytes, IOQueueCount = 1 }, NullLogger.Instance);
    }

    public Task StartAsync(CancellationToken cancellationToken) => _kestrel.StartAsync(this, cancellationToken);

    /// <inheritdoc cref="OpenPort.Open"/>
    public OpenPort Open(IPEndPoint endPoint, Site site, bool bothFamilies) => OpenPort.Open(
        endPoint, bothFamilies, _limits.Connections, _connections.Create, connection =>
        {
            connection.Features.Set(site);
            return _queue.TryAdd(connection);
        });

    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(Farewell);
        await _kestrel.StopAsync(patience.Token).ConfigureAwait(false);
        _kestrel.Dispose();
        await _queue.DisposeAsync().ConfigureAwait(false);
        _connections.Dispose();
    }

    IFeatureCollection IHttpApplication<IFeatureCollection>.CreateContext(IFeatureCollection contextFeatures) => contextFeatures;

    void IHttpApplication<IFeatureCollection>.DisposeContext(IFeatureCollection context, Exception? exception)
    {
    }

    async Task IHttpApplication<IFeatureCollection>.ProcessRequestAsync(IFeatureCollection context)
    {
        var request = context.GetRequiredFeature<IHttpRequestFeature>();
        var response = context.GetRequiredFeature<IHttpResponseFeature>();
        bool isRead = request.Method is "GET" or "HEAD";
        var answer = isRead ? context.GetRequiredFeature<Site>()(request.Path) ?? Answer.NotFound : Answer.MethodNotAllowed;

        response.StatusCode = answer.Status;
        response.Headers.ContentType = answer.ContentType;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.ContentLength = answer.Body.Length;
        if (answer.Header is { } header)
            response.Headers[header.Name] = header.Value;
        // A body is not read, so what follows it cannot be found either.
        if (context.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true)
            response.Headers.Connection = "close";
        context.Get<OpenPort.Turn>()?.Answered();

        var body = context.GetRequiredFeature<IHttpResponseBodyFeature>();
        if (request.Method != "HEAD")
            await body.Writer.WriteAsync(answer.Body).ConfigureAwait(false);
        await body.CompleteAsync().ConfigureAwait(false);
    }
}
