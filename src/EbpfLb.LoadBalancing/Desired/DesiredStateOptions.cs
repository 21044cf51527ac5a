// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Maglev;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.LoadBalancing.Desired;

public sealed record DesiredStateOptions
{
    /// <summary>An endpoint that runs on the node of this name is local.</summary>
    public required string NodeName { get; init; }

    public MaglevOptions Maglev { get; init; } = new();

    /// <summary>
    /// Of services that name none. Null: Maglev where clients outside can dial in, so that every node sends a flow to the same backend;
    /// else random.
    /// </summary>
    public Algorithm? DefaultAlgorithm { get; init; }

    /// <summary>Serve external IPs that are addresses of this node, and load balancer addresses at every port of them.</summary>
    public bool AllowNodeExternalIPs { get; init; }

    /// <summary>Those that are known before any Service is; the endpoints of default/kubernetes are added to them.</summary>
    public IReadOnlyList<ApiServerEndpoint> ApiServers { get; init; } = [];
}
