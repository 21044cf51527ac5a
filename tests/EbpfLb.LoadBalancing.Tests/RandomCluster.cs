// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.State;
using FsCheck;
using FsCheck.Fluent;

namespace EbpfLb.LoadBalancing.Tests;

/// <summary>
/// Turns a number into a change of a cluster. The worlds are small on purpose: few names, addresses and ports, so that objects replace
/// each other, collide and repeat.
/// </summary>
internal static class RandomCluster
{
    private static readonly string[] Names = ["a/web", "a/api", "b/web", "b/dns"];
    private static readonly string[] PortNames = ["", "http", "dns"];
    private static readonly string?[] Nodes = [Objects.ThisNode, Objects.OtherNode, null];
    private static readonly string[] Zones = ["zone-a", "zone-b"];

    /// <summary>Numbers of the whole range, as many as the size says; a counterexample shrinks by leaving numbers out.</summary>
    public static Arbitrary<int[]> Seeds { get; } = Arb.From(
        Gen.Choose(0, int.MaxValue - 1).ArrayOf(),
        static seeds => Enumerable.Range(0, seeds.Length).Select(index => (int[])[.. seeds[..index], .. seeds[(index + 1)..]]));

    public static ClusterChange Change(int seed)
    {
        var random = new Random(seed);
        var change = new ClusterChange();
        do
        {
            change = random.Next(10) switch
            {
                0 => change with { RemovedServices = [.. change.RemovedServices, ServiceName(random)] },
                1 => change with { RemovedSlices = [.. change.RemovedSlices, SliceName(random)] },
                2 => change with { Node = Node(random) },
                3 => random.Next(3) == 0
                    ? change with { RemovedServiceCidrs = [.. change.RemovedServiceCidrs, CidrName(random)] }
                    : change with { UpsertedServiceCidrs = [.. change.UpsertedServiceCidrs, ServiceCidr(random)] },
                < 7 => change with { UpsertedServices = [.. change.UpsertedServices, Service(random)] },
                _ => change with { UpsertedSlices = [.. change.UpsertedSlices, Slice(random)] },
            };
        }
        while (random.Next(3) == 0);
        return change;
    }

    public static EndpointSlice Slice(Random random)
    {
        var family = Pick(random, AddressFamily.IPv4, AddressFamily.IPv4, AddressFamily.IPv6);

        // Half the slices are as a zone-aware controller writes them, with hints on every endpoint.
        bool hinted = random.Next(2) == 0;
        return new EndpointSlice
        {
            Name = SliceName(random),
            Service = random.Next(8) == 0 ? Objects.Name("a/none") : ServiceName(random),
            Family = family,
            Ports = Many(random, 1, 3, () => new EndpointPort(Pick(random, PortNames), Protocol(random), (ushort)random.Next(8080, 8082))),
            Endpoints = Many(random, 0, 5, () => new Endpoint
            {
                Address = Address.Parse(family == AddressFamily.IPv4 ? $"10.244.0.{random.Next(5)}" : $"fd00:10:244::{random.Next(5)}"),
                Ready = random.Next(3) != 0,
                Serving = random.Next(3) != 0,
                Terminating = random.Next(3) == 0,
                NodeName = Pick(random, Nodes),
                ZoneHints = hinted ? Many(random, 1, 2, () => Pick(random, Zones)) : Many(random, 0, 1, () => Pick(random, Zones)),
                NodeHints = random.Next(3) == 0 ? [Pick(random, Objects.ThisNode, Objects.OtherNode)] : default,
            }),
        };
    }

    private static Service Service(Random random) => new()
    {
        Name = ServiceName(random),
        CreatedAt = random.Next(4) == 0 ? null : Objects.Time(random.Next(3)),
        ClusterIPs =
        [
            .. random.Next(5) != 0 ? [Address.Parse($"10.96.0.{random.Next(3)}")] : Array.Empty<Address>(),
            .. random.Next(2) == 0 ? [Address.Parse($"fd00:10:96::{random.Next(2)}")] : Array.Empty<Address>(),
        ],
        Ports = Many(random, 0, 3, () => new ServicePort(
            Pick(random, PortNames), Protocol(random), (ushort)random.Next(80, 82), (ushort)(random.Next(2) * random.Next(30080, 30082)))),
        LoadBalancerIPs = random.Next(3) == 0 ? Many(random, 1, 2, () => Outside(random)) : default,
        ExternalIPs = random.Next(3) == 0 ? Many(random, 1, 2, () => Outside(random)) : default,
        LoadBalancerSourceRanges = Many(random, 0, 2, () => Range(random)),
        AffinityTimeoutSeconds = (uint)random.Next(2),
        InternalTrafficPolicy = Policy(random),
        ExternalTrafficPolicy = Policy(random),
        Algorithm = Pick<Algorithm?>(random, null, Algorithm.Maglev, Algorithm.Random),
        MaglevTableSize = Pick(random, 0, 0, 251, 1021),
    };

    private static NodeChange Node(Random random) => new(random.Next(4) == 0
        ? null
        : new Node(Pick(random, Objects.ThisNode, Objects.ThisNode, Objects.OtherNode), Pick(random, [.. Zones, null]))
        {
            Addresses = Many(random, 0, 2, () => Outside(random)),
            PodCidrs = Many(random, 0, 1, () => Range(random)),
        });

    // Some are cluster IPs too.
    private static Address Outside(Random random) =>
        Address.Parse(Pick(random, "198.51.100.1", "198.51.100.2", "10.96.0.1", "2001:db8::1"));

    private static AddressPrefix Range(Random random) =>
        AddressPrefix.Parse(Pick(random, "198.51.100.0/24", "198.51.100.1/32", "10.0.0.0/8", "2001:db8::/32", "0.0.0.0/0"));

    private static ServiceCidr ServiceCidr(Random random) => new(CidrName(random), Many(random, 1, 2, () => Range(random)));

    private static string CidrName(Random random) => Pick(random, "kubernetes", "more");

    private static ObjectName ServiceName(Random random) => Objects.Name(Pick(random, Names));

    private static ObjectName SliceName(Random random) => new("a", $"slice-{random.Next(6)}");

    private static Protocol Protocol(Random random) =>
        Pick(random, LoadBalancing.Model.Protocol.Tcp, LoadBalancing.Model.Protocol.Tcp, LoadBalancing.Model.Protocol.Udp);

    private static TrafficPolicy Policy(Random random) => Pick(random, TrafficPolicy.Cluster, TrafficPolicy.Local);

    private static T Pick<T>(Random random, params T[] choices) => choices[random.Next(choices.Length)];

    private static EquatableArray<T> Many<T>(Random random, int least, int most, Func<T> make)
        where T : IEquatable<T> =>
        Enumerable.Range(0, random.Next(least, most + 1)).Select(_ => make()).ToEquatableArray();
}
