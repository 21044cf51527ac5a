// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace EbpfLb.Kubernetes.Tests.Api.Client.Support;

/// <param name="Client">The subject of the client's certificate.</param>
internal sealed record SeenRequest(string Protocol, string Path, string Host, string? Authorization, string? Client, string? Encoding);

/// <summary>A server on a port of its own. What it shows and wants may be changed while it runs; new connections get it.</summary>
internal sealed class TlsServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TlsServer(WebApplication app) => _app = app;

    public X509Certificate2? Certificate { get; set; }

    public ConcurrentQueue<SeenRequest> Requests { get; } = new();

    public SeenRequest Last => Requests.Last();

    /// <summary>After the request was recorded.</summary>
    public Func<HttpContext, Task> Answer { get; set; } = context => context.Response.WriteAsync("ok");

    public int Port { get; private set; }

    public static async Task<TlsServer> StartAsync(X509Certificate2? certificate, HttpProtocols protocols = HttpProtocols.Http1AndHttp2,
        ClientCertificateMode clients = ClientCertificateMode.NoCertificate)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        TlsServer? server = null;
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = protocols;
            if (certificate is not null)
            {
                listen.UseHttps(new HttpsConnectionAdapterOptions
                {
                    ServerCertificateSelector = (_, _) => server!.Certificate,
                    ClientCertificateMode = clients,
                    ClientCertificateValidation = (_, _, _) => true,
                });
            }
        }));
        var app = builder.Build();
        server = new TlsServer(app) { Certificate = certificate };
        app.Run(server.HandleAsync);
        await app.StartAsync();
        server.Port = new Uri(app.Urls.Single()).Port;
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
        Certificate?.Dispose();
    }

    private Task HandleAsync(HttpContext context)
    {
        var request = context.Request;
        Requests.Enqueue(new SeenRequest(request.Protocol, request.Path + request.QueryString, request.Host.Value ?? "",
            request.Headers.Authorization, context.Connection.ClientCertificate?.Subject, request.Headers.AcceptEncoding));
        return Answer(context);
    }
}
