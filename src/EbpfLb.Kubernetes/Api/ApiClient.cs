// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Api.Client;
using EbpfLb.Kubernetes.Api.Events;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Kubernetes.Api;

/// <summary>The way to one API server, for all who need it. Owns the transport.</summary>
public sealed class ApiClient : IDisposable
{
    internal ApiClient(IApiTransport transport)
    {
        Transport = transport;
    }

    /// <summary>Such as https://192.0.2.1:6443. Holds no secret.</summary>
    public Uri Server => Transport.Server;

    internal IApiTransport Transport { get; }

    /// <summary>Reads the configuration. Connects with the first request only.</summary>
    public static ApiClient Open(ApiOptions options, ILogger logger, TimeProvider time) =>
        new(ApiTransportFactory.Create(options, logger, time));

    /// <param name="nodeName">As the API names this node.</param>
    public EventRecorder CreateEventRecorder(string nodeName, TimeProvider time, ILogger<EventRecorder> logger) =>
        new(Transport, nodeName, time, logger);

    public void Dispose() => Transport.Dispose();
}
