// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.LoadBalancing.Selection;

/// <summary>What a load balancer outside is told of a service on this node.</summary>
public static class LocalEndpoints
{
    /// <summary>
    /// Addresses of ready endpoints on the node, each once whatever ports it serves. An endpoint that terminates is not ready: a node
    /// that has only such ones still serves, but should get no new connections.
    /// </summary>
    public static int CountReady(ReadOnlySpan<EndpointSlice> slices, string nodeName, AddressFamily family)
    {
        HashSet<Address>? addresses = null;
        foreach (var slice in slices)
        {
            if (slice.Family != family || slice.Ports.IsEmpty)
                continue;

            foreach (var endpoint in slice.Endpoints)
            {
                if (endpoint.Ready && endpoint.NodeName == nodeName && endpoint.Address.Family == family)
                    (addresses ??= []).Add(endpoint.Address);
            }
        }

        return addresses?.Count ?? 0;
    }
}
