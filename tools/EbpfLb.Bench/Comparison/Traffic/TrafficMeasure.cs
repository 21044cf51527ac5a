// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Bench.Comparison.Results;
using EbpfLb.Bench.Comparison.Services;

namespace EbpfLb.Bench.Comparison.Traffic;

/// <summary>How a measure is taken that is made of traffic.</summary>
/// <param name="Command">Of the load generator.</param>
/// <param name="From">Where it runs, as the playground's picture has it.</param>
/// <param name="Service">What is dialled; null: nobody's service, in every mode.</param>
/// <param name="Backends">What is dialled where no service is.</param>
/// <param name="Scale">From operations per second to the measure's unit.</param>
internal sealed record TrafficMeasure(
    Measure Measure, string Command, string From, int Clients, string? Service, IReadOnlyList<ComparedEndpoint> Backends, double Scale = 1)
{
    private const int Clients16 = 16;

    // Of sockets that stay: chance gives each backend much the same number of them.
    private const int Clients64 = 64;

    private const string Tcp = "connect";

    private const double MegabitsPerByte = 8 / 1e6;

    private static readonly string Target = $"{ComparedCluster.TargetClusterIP}:{ComparedCluster.Port}";
    private static readonly string Outside = $"{ComparedCluster.LoadBalancer}:{ComparedCluster.Port}";

    /// <summary>In the order of a round.</summary>
    public static IReadOnlyList<TrafficMeasure> All { get; } =
    [
        new(Measure.PodToClusterIp, Tcp, "P12", Clients16, Target, ComparedCluster.LocalBackends),
        new(Measure.HostToClusterIp, Tcp, "N1", Clients16, Target, ComparedCluster.LocalBackends),
        new(Measure.NodePortLocal, Tcp, "C", Clients16, OnNode(ComparedCluster.LocalNodePort), ComparedCluster.LocalBackends),
        new(Measure.NodePortRemote, Tcp, "C", Clients16, OnNode(ComparedCluster.RemoteNodePort), ComparedCluster.RemoteBackends),
        new(Measure.LoadBalancer, Tcp, "C", Clients16, Outside, ComparedCluster.LocalBackends),
        new(Measure.Bystander, Tcp, "P12", Clients16, null, ComparedCluster.LocalBackends),
        new(Measure.RequestResponse, "request", "P12", Clients64, Target, ComparedCluster.LocalBackends),
        new(Measure.UdpPackets, "udp", "C", Clients64, OnNode(ComparedCluster.UdpNodePort), ComparedCluster.LocalBackends),
        new(Measure.Throughput, "bulk", "P12", 1, Target, ComparedCluster.LocalBackends, MegabitsPerByte),
    ];

    public bool HasLatencies => Scale == 1;

    /// <summary>What the generator dials in this mode.</summary>
    public IEnumerable<string> Addresses(string mode) =>
        mode == Mode.Direct || Service is null ? Backends.Select(backend => $"{backend.Address}:{backend.Port}") : [Service];

    private static string OnNode(int nodePort) => $"{ComparedCluster.NodeAddress}:{nodePort}";
}
