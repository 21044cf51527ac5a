// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Api.Client;

namespace EbpfLb.Kubernetes.Api;

/// <summary>The way to one API server, for all who need it. Owns the transport.</summary>
public sealed class ApiConnection : IDisposable
{
    internal ApiConnection(IApiTransport transport)
    {
        Transport = transport;
    }

    /// <summary>Such as https://192.0.2.1:6443. Holds no secret.</summary>
    public Uri Server => Transport.Server;

    internal IApiTransport Transport { get; }

    public void Dispose() => Transport.Dispose();
}
