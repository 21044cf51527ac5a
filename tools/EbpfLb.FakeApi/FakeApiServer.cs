// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using System.Security.Cryptography.X509Certificates;
using EbpfLb.FakeApi.Bulk;
using EbpfLb.FakeApi.Faults;
using EbpfLb.FakeApi.Security;
using EbpfLb.FakeApi.Serving;
using EbpfLb.FakeApi.Store;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace EbpfLb.FakeApi;

/// <summary>An API server that keeps what it is given, and does wrong what it is told to do wrong.</summary>
public sealed class FakeApiServer : IAsyncDisposable
{
    private readonly FakeApiOptions _options;
    private readonly RequestHandler _handler;

    private IPEndPoint _endpoint;
    private WebApplication? _application;
    private CancellationTokenSource _stopping = new();

    private FakeApiServer(FakeApiOptions options)
    {
        _options = options;
        _endpoint = options.Listen;
        Store = new ObjectStore(options.Time, options.HistoryLimit);
        Watches = new OpenWatches(Store);
        if (options.Tls)
        {
            Authority = new CertificateAuthority(options.Time);
            Certificate = Authority.IssueServer([.. options.Names, options.Listen.Address.ToString()]);
        }
        _handler = new RequestHandler(this);
    }

    public ObjectStore Store { get; }

    public FaultRules Faults { get; } = new();

    public RequestLog Requests { get; } = new();

    public OpenWatches Watches { get; }

    public ContinueTokens ContinueTokens { get; } = new();

    public AccessRules Access { get; } = new();

    /// <summary>What <c>/fake/change</c> changes.</summary>
    public BulkCluster? Bulk { get; set; }

    /// <summary>Null without TLS.</summary>
    public CertificateAuthority? Authority { get; }

    /// <summary>What the server shows; another one counts from the next connection on.</summary>
    public X509Certificate2? Certificate { get; set; }

    public IPEndPoint Endpoint => _endpoint;

    /// <summary>Stays the same over <see cref="StopAsync"/> and <see cref="ResumeAsync"/>.</summary>
    public Uri Url => new($"{(_options.Tls ? "https" : "http")}://{_endpoint}");

    /// <summary>Leads to this server, without credentials.</summary>
    public Kubeconfig Kubeconfig => new(Url.ToString().TrimEnd('/')) { Authority = Authority?.Pem };

    internal TimeProvider Time => _options.Time;

    public static async Task<FakeApiServer> StartAsync(FakeApiOptions? options = null)
    {
        var server = new FakeApiServer(options ?? new FakeApiOptions());
        await server.ResumeAsync();
        return server;
    }

    /// <summary>Listens again where it did before <see cref="StopAsync"/>, with the objects it has.</summary>
    public async Task ResumeAsync()
    {
        _stopping = new CancellationTokenSource();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddLogging(logging => logging.ClearProviders());
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(2));
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(Configure)
            .UseSockets(Configure);
        _application = builder.Build();
        var stopping = _stopping.Token;
        _application.Run(context => _handler.HandleAsync(context, stopping));
        await _application.StartAsync();
        string address = _application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        _endpoint = new IPEndPoint(_options.Listen.Address, new Uri(address).Port);
    }

    /// <summary>Cuts every connection and refuses new ones.</summary>
    public async Task StopAsync()
    {
        if (_application is null)
            return;
        await _stopping.CancelAsync();
        await _application.StopAsync();
        await _application.DisposeAsync();
        _stopping.Dispose();
        _application = null;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Certificate?.Dispose();
        Authority?.Dispose();
    }

    private void Configure(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.MinResponseDataRate = null;
        kestrel.Limits.MaxRequestBodySize = null;
        kestrel.Limits.Http2.MaxStreamsPerConnection = 1000;
        kestrel.Listen(_endpoint, listen =>
        {
            listen.Protocols = _options.Tls ? HttpProtocols.Http1AndHttp2
                : _options.PlainHttp2 ? HttpProtocols.Http2
                : HttpProtocols.Http1;
            if (_options.Tls)
                listen.UseHttps(ConfigureTls);
        });
    }

    private void Configure(SocketTransportOptions sockets)
    {
        // A flush returns once the socket has the bytes: what was flushed before a reset arrives before it.
        sockets.MaxWriteBufferSize = 2;
        if (_options.Bind is { } bind)
            sockets.CreateBoundListenSocket = bind;
    }

    private void ConfigureTls(HttpsConnectionAdapterOptions tls)
    {
        tls.ServerCertificateSelector = (_, _) => Certificate;
        tls.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
        tls.ClientCertificateValidation = (certificate, _, _) => Authority!.HasIssued(certificate);
    }
}
