// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net.Http.Headers;
using EbpfLb.Kubernetes.Api.Client.Connection;
using EbpfLb.Kubernetes.Api.Client.Credentials;

namespace EbpfLb.Kubernetes.Api.Client.Configuration;

/// <summary>All that was read to reach a server, as of one moment. Holds secrets, so it is no record and prints nothing.</summary>
internal sealed class ApiConfiguration
{
    public required EndpointSettings Endpoint { get; init; }

    /// <summary>Bearer or Basic. Null: anonymous, a client certificate, or <see cref="Exec"/>.</summary>
    public AuthenticationHeaderValue? Authorization { get; init; }

    public ExecSettings? Exec { get; init; }
}
