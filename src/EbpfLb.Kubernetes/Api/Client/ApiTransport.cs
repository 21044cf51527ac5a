// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using System.Net.Http.Headers;
using EbpfLb.Kubernetes.Api.Client.Configuration;
using EbpfLb.Kubernetes.Api.Client.Connection;
using EbpfLb.Kubernetes.Api.Client.Credentials;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Kubernetes.Api.Client;

/// <summary>
/// Sends to the API server with what the configuration holds now. It is read again every 30 s, and after a 401: a new token goes into
/// the next request; new certificates make a new <see cref="ApiConnection"/>, and the old one ends after a grace, so that watches
/// come back on the new one within a minute of the change.
/// </summary>
internal sealed class ApiTransport : IApiTransport
{
    public static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(30);
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(20);

    /// <summary>An API server itself gives up on any request but a watch after this time.</summary>
    public static readonly TimeSpan AnswerDeadline = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan MinRefusalPause = TimeSpan.FromSeconds(1);

    private readonly ConfigurationLoader _loader;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ITimer _looks;
    private readonly Lock _gate = new();

    // All below are guarded by the lock.
    private readonly Dictionary<ApiConnection, ITimer> _ending = [];
    private ApiConfiguration _configuration;
    private ApiConnection _connection;
    private ExecPlugin? _plugin;
    private bool _refused;
    private ExecCredential? _refusedCredential;
    private long? _refusalReadAt;
    private string? _problem;
    private bool _disposed;

    /// <exception cref="ApiUnreachableException">The configuration cannot be used.</exception>
    public ApiTransport(ConfigurationLoader loader, TimeProvider time, ILogger logger)
    {
        _loader = loader;
        _time = time;
        _logger = logger;
        _configuration = loader.Load();
        _connection = new ApiConnection(_configuration.Endpoint);
        _plugin = NewPlugin(_configuration);
        _looks = time.CreateTimer(static transport => ((ApiTransport)transport!).LookAgain(), this, LookInterval, Timeout.InfiniteTimeSpan);
    }

    public Uri Server
    {
        get
        {
            lock (_gate)
                return _configuration.Endpoint.Server;
        }
    }

    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(request);
        ApiConfiguration configuration;
        ApiConnection? connection;
        EndpointSettings endpoint;
        ExecCredential? credential;
        do
        {
            (configuration, var plugin) = Current();
            credential = plugin is null ? null : await plugin.GetAsync(cancellation).ConfigureAwait(false);
            endpoint = credential is { Certificate: { } certificate, Key: { } key }
                ? configuration.Endpoint.WithIdentity(certificate, key)
                : configuration.Endpoint;
            connection = ConnectionWith(configuration, endpoint);
        }
        while (connection is null);

        var authorization = configuration.Authorization ?? credential?.Authorization;
        var response = await SendAsync(request, connection, endpoint, authorization, cancellation).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.Unauthorized)
            NoteRefusal(configuration, credential);
        return response;
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed)
                return;

            _disposed = true;
            foreach (var (connection, timer) in _ending)
            {
                timer.Dispose();
                connection.Dispose();
            }

            _connection.Dispose();
        }

        _looks.Dispose();
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, ApiConnection connection, EndpointSettings endpoint,
        AuthenticationHeaderValue? authorization, CancellationToken cancellation)
    {
        using var late = new CancellationTokenSource(AnswerDeadline, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, late.Token);
        var relative = request.RequestUri;
        try
        {
            request.RequestUri = ServerAddress.Combine(endpoint.Server, relative?.OriginalString ?? "");
            request.Headers.Authorization = authorization;
            return await connection.SendAsync(request, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested)
        {
            throw ConnectionErrors.NoAnswer(endpoint, AnswerDeadline);
        }
        catch (Exception error) when (error is HttpRequestException or OperationCanceledException or IOException or ObjectDisposedException)
        {
            throw ConnectionErrors.Explain(error, endpoint, connection, _time.GetUtcNow());
        }
        finally
        {
            // Requests print their headers, and this one is the caller's again.
            request.Headers.Authorization = null;
            request.RequestUri = relative;
        }
    }

    private (ApiConfiguration Configuration, ExecPlugin? Plugin) Current()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_refused && (_refusalReadAt is not { } readAt || _time.GetElapsedTime(readAt) >= MinRefusalPause))
            {
                _refusalReadAt = _time.GetTimestamp();
                _refused = false;
                if (_refusedCredential is { } credential)
                    _plugin?.Refuse(credential);
                _logger.Refused();
                Read();
            }

            // A token given outright goes before a plugin, which then need not run.
            return (_configuration, _configuration.Authorization is null ? _plugin : null);
        }
    }

    private void NoteRefusal(ApiConfiguration configuration, ExecCredential? credential)
    {
        lock (_gate)
        {
            // What was read since may be good.
            if (!ReferenceEquals(configuration, _configuration))
                return;

            _refused = true;
            _refusedCredential = credential;
        }
    }

    /// <returns>Null when the configuration was read anew while the plugin ran.</returns>
    private ApiConnection? ConnectionWith(ApiConfiguration configuration, EndpointSettings endpoint)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (!ReferenceEquals(configuration, _configuration))
                return null;

            if (_connection.Fingerprint != endpoint.Fingerprint)
                Replace(new ApiConnection(endpoint));
            return _connection;
        }
    }

    private void LookAgain()
    {
        lock (_gate)
        {
            if (_disposed)
                return;

            Read();
            _looks.Change(LookInterval, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Under the lock. A file may be half written, or its partner not yet: what was read before stays until all is good.</summary>
    private void Read()
    {
        try
        {
            var next = _loader.Load();
            if (next.Endpoint.Fingerprint != _configuration.Endpoint.Fingerprint)
            {
                Replace(new ApiConnection(next.Endpoint));
                _logger.EndpointChanged(next.Endpoint.Name, Grace.TotalSeconds);
            }

            if (!Equals(next.Authorization, _configuration.Authorization))
                _logger.TokenChanged();
            if (next.Exec?.Key != _plugin?.Key)
                _plugin = NewPlugin(next);
            _configuration = next;
            if (_problem is not null)
                _logger.ReadAgain();
            _problem = null;
        }
        catch (ApiUnreachableException error)
        {
            if (_problem != error.Message)
                _logger.NotReadAgain(error.Message);
            _problem = error.Message;
        }
    }
    /// <summary>Under the lock.</summary>
    private void Replace(ApiConnection next)
    {
        var old = _connection;
        _connection = next;
        _ending[old] = _time.CreateTimer(_ => End(old), null, Grace, Timeout.InfiniteTimeSpan);
    }

    private void End(ApiConnection connection)
    {
        lock (_gate)
        {
            if (_ending.Remove(connection, out var timer))
                timer.Dispose();
        }

        connection.Dispose();
    }

    private ExecPlugin? NewPlugin(ApiConfiguration configuration) =>
        configuration.Exec is { } settings ? new ExecPlugin(settings, _time, _logger) : null;
}
