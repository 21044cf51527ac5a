// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Bench.Comparison.Services;

/// <param name="LoadBalancer">The address a load balancer gave it, if one did.</param>
/// <param name="Endpoints">Of every port.</param>
internal sealed record ComparedService(
    string Name, string ClusterIP, IReadOnlyList<ComparedPort> Ports, string? LoadBalancer, IReadOnlyList<ComparedEndpoint> Endpoints)
{
    public const string Namespace = "bench";

    public bool IsExternal => LoadBalancer is not null || Ports.Any(port => port.NodePort is not null);
}

/// <param name="Protocol">tcp or udp.</param>
internal sealed record ComparedPort(string Name, string Protocol, int Port, int? NodePort);

internal sealed record ComparedEndpoint(string Address, int Port, string Node);
