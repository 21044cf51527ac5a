// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Api.Client;

/// <summary>The way to one API server: where it is, whom to trust, who we are.</summary>
internal interface IApiTransport : IDisposable
{
    /// <summary>Such as https://192.0.2.1:6443. Holds no secret.</summary>
    Uri Server { get; }

    /// <summary>
    /// Sends with credentials, and returns once the headers are there; the body is read as it comes. The address of the request is
    /// relative to the server. After a 401 the next call reads the credentials anew.
    /// </summary>
    /// <returns>Whatever the status.</returns>
    /// <exception cref="ApiUnreachableException">There is no connection, or no credentials to use it with.</exception>
    Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellation);
}
