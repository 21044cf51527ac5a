// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace EbpfLb.Kubernetes.Api.Client.Connection;

/// <summary>
/// Connections to one server with one set of certificates, HTTP/2 where the server speaks it over TLS. Disposing ends every stream, so
/// that none outlives the certificate that opened it.
/// </summary>
internal sealed class ApiConnection : IDisposable
{
    // As audit logs and metrics of the server have it: ebpflb/0.1.0.
    private static readonly ProductInfoHeaderValue UserAgent = new(
        "ebpflb", typeof(ApiConnection).Assembly.GetName().Version?.ToString(3) ?? "0");

    private readonly EndpointSettings _endpoint;
    private readonly SslStreamCertificateContext? _identity;
    private readonly HttpMessageInvoker _invoker;
    private readonly Lock _gate = new();

    // Guarded by the lock.
    private readonly HashSet<ServerStream> _streams = [];
    private bool _disposed;

    /// <exception cref="ApiUnreachableException">The certificates cannot be used.</exception>
    public ApiConnection(EndpointSettings endpoint, ConnectionTimes? times = null)
    {
        Times = times ?? new ConnectionTimes();
        _endpoint = endpoint;
        Fingerprint = endpoint.Fingerprint;
        _identity = endpoint is { Certificate: { } certificate, Key: { } key } ? ClientIdentity.Load(certificate, key) : null;
        var tls = new SslClientAuthenticationOptions { ClientCertificateContext = _identity };
        new ServerTrust(endpoint.Authorities, endpoint.Insecure).Apply(tls);
        _invoker = new HttpMessageInvoker(new SocketsHttpHandler
        {
            SslOptions = tls,
            ConnectCallback = ConnectAsync,
            ConnectTimeout = Times.Connect,
            KeepAlivePingDelay = Times.PingDelay,
            KeepAlivePingTimeout = Times.PingTimeout,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.Always,
            EnableMultipleHttp2Connections = true,
            // A watch has to be read as it comes, and gzip holds back.
            AutomaticDecompression = DecompressionMethods.None,
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = endpoint.Proxy is not null,
            Proxy = endpoint.Proxy is null ? null : new WebProxy(endpoint.Proxy) { Credentials = endpoint.ProxyCredential },
            ActivityHeadersPropagator = null,
        });
    }

    /// <summary>Of the settings that it was made with.</summary>
    public string Fingerprint { get; }

    public ConnectionTimes Times { get; }

    public X509Certificate2? Certificate => _identity?.TargetCertificate;

    /// <summary>Returns once the headers are there.</summary>
    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellation)
    {
        request.Version = HttpVersion.Version20;
        request.VersionPolicy = HttpVersionPolicy.RequestVersionOrLower;
        request.Headers.UserAgent.Clear();
        request.Headers.UserAgent.Add(UserAgent);
        // .NET takes the name to ask for in TLS, and to find in the certificate, from this header.
        request.Headers.Host = _endpoint is { IsSecure: true, ServerName: { } name } ? HostOf(name) : null;
        return _invoker.SendAsync(request, cancellation);
    }

    // The header has an IPv6 address in brackets.
    private static string HostOf(string name) =>
        Uri.CheckHostName(name) == UriHostNameType.IPv6 && name[0] != '[' ? $"[{name}]" : name;

    public void Dispose()
    {
        ServerStream[] open;
        lock (_gate)
        {
            _disposed = true;
            open = [.. _streams];
        }

        _invoker.Dispose();
        foreach (var stream in open)
            stream.Dispose();
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            ServerStream.NoticeSilence(socket);
            await socket.ConnectAsync(context.DnsEndPoint, cancellation).ConfigureAwait(false);
            var stream = new ServerStream(socket, Forget);
            lock (_gate)
            {
                ObjectDisposedException.ThrowIf(_disposed, this);
                _streams.Add(stream);
            }

            return stream;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private void Forget(ServerStream stream)
    {
        lock (_gate)
            _streams.Remove(stream);
    }
}
