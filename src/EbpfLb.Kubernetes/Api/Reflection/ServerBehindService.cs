// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Kubernetes.Api.Reflection;

/// <summary>
/// Whether the way to the API server leads through a Service that the agent itself programs, default/kubernetes as a rule: then a node
/// that starts without maps, and without another proxy, never learns how to get there.
/// </summary>
internal static class ServerBehindService
{
    /// <returns>Null for a server that is known by its name.</returns>
    public static Address? AddressOf(Uri server) =>
        IPAddress.TryParse(server.DnsSafeHost, out var address) ? Address.From(address) : null;

    /// <returns>The problem with the way out, or null when there is none.</returns>
    public static string? Find(Address? server, Service service) =>
        server is { } address && service.ClusterIPs.Contains(address)
            ? $"{address} is the API server that the agent follows, and the agent itself programs this cluster IP: a node that starts "
                + "without it never gets there; give the API server's own address with --kubeconfig or with KUBERNETES_SERVICE_HOST and "
                + "KUBERNETES_SERVICE_PORT in the pod's environment"
            : null;
}
