// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Collections.Immutable;
using System.Globalization;

namespace EbpfLb.Bench.Comparison.Services;

/// <summary>
/// The services of all modes. That which is dialled stands in the middle of those nobody dials, so who walks a list walks half of it:
/// kube-proxy's order is that of a hash table, and any service may be anywhere in it.
/// </summary>
internal sealed record ComparedCluster
{
    public const string PodNetwork = "10.244.0.0/16";
    public const string ServiceNetwork = "10.96.0.0/12";
    public const int EndpointsPerService = 3;

    /// <summary>The name of the node under test.</summary>
    public const string Node = "node-00";

    public const string OtherNode = "node-01";

    public const int BackendPort = 8080;
    public const int FirstMovePort = 8082;
    public const int SecondMovePort = 8083;

    public const string NodeAddress = "10.10.0.1";
    public const string TargetClusterIP = "10.97.0.1";
    public const string MovingClusterIP = "10.97.0.3";
    public const string LoadBalancer = "203.0.113.10";
    public const int Port = 80;
    public const int LocalNodePort = 30080;
    public const int UdpNodePort = 30053;
    public const int RemoteNodePort = 30081;

    private const string RemoteClusterIP = "10.97.0.2";

    private static readonly ComparedEndpoint FirstPlace = new("10.244.1.13", FirstMovePort, Node);
    private static readonly ComparedEndpoint SecondPlace = new("10.244.1.14", SecondMovePort, Node);

    private readonly ImmutableArray<ComparedService> _others;

    /// <param name="services">That which is dialled among them.</param>
    public ComparedCluster(int services)
    {
        Count = services;
        _others = [.. Enumerable.Range(0, services - 1).Select(Other)];
    }

    /// <summary>Two more exist at every count: with backends on another node, and that whose endpoint moves.</summary>
    public int Count { get; }

    /// <summary>Whether the endpoint of the moving service is at its second place.</summary>
    public bool HasMoved { get; init; }

    public static IReadOnlyList<ComparedEndpoint> LocalBackends { get; } =
        [.. new[] { "10.244.1.11", "10.244.1.13", "10.244.1.14" }.Select(address => new ComparedEndpoint(address, BackendPort, Node))];

    public static IReadOnlyList<ComparedEndpoint> RemoteBackends { get; } =
        [.. new[] { "10.244.2.21", "10.244.2.22" }.Select(address => new ComparedEndpoint(address, BackendPort, OtherNode))];

    /// <summary>Whose endpoint moves.</summary>
    public ComparedService Moving => new(
        "zz-moving", MovingClusterIP, [new ComparedPort("http", "tcp", Port, null)], null, [HasMoved ? SecondPlace : FirstPlace]);

    /// <summary>In the order in which rules name them.</summary>
    public IEnumerable<ComparedService> Services =>
        [.. _others[..(_others.Length / 2)], Target, .. _others[(_others.Length / 2)..], Remote, Moving];

    /// <summary>Endpoints, once for each port of their service.</summary>
    public int BackendCount => Services.Sum(service => service.Ports.Count * service.Endpoints.Count);

    private static ComparedService Target { get; } = new(
        "target", TargetClusterIP,
        [new ComparedPort("http", "tcp", Port, LocalNodePort), new ComparedPort("dns", "udp", 53, UdpNodePort)],
        LoadBalancer, LocalBackends);

    private static ComparedService Remote { get; } = new(
        "yy-remote", RemoteClusterIP, [new ComparedPort("http", "tcp", Port, RemoteNodePort)], null, RemoteBackends);

    // The third byte of a pod's address begins after those of the two nodes there are.
    private static ComparedService Other(int number)
    {
        var endpoints = Enumerable.Range(number * EndpointsPerService, EndpointsPerService).Select(endpoint => new ComparedEndpoint(
            string.Create(CultureInfo.InvariantCulture, $"10.244.{3 + endpoint / 250}.{endpoint % 250 + 1}"), BackendPort,
            $"node-{2 + endpoint % 98:00}"));
        return new ComparedService(
            string.Create(CultureInfo.InvariantCulture, $"service-{number:00000}"),
            string.Create(CultureInfo.InvariantCulture, $"10.96.{number / 250}.{number % 250 + 1}"),
            [new ComparedPort("http", "tcp", Port, null)], null, [.. endpoints]);
    }
}
