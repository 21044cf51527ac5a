// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Maps;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Tests;

/// <summary>
/// Random objects into maps whose writes fail, under an agent that is killed between any two of them. The seeds are fixed, so that a
/// failure comes again.
/// </summary>
public sealed class DatapathSyncPropertyTests
{
    private sealed class KilledException : Exception;

    [Theory]
    [InlineData(1, 0.1, 0.0)]
    [InlineData(2, 0.1, 0.0)]
    [InlineData(3, 0.5, 0.0)]
    [InlineData(4, 0.0, 0.05)]
    [InlineData(5, 0.1, 0.05)]
    [InlineData(6, 0.3, 0.02)]
    public void Whatever_fails_and_whenever_the_agent_dies_traffic_has_a_whole_path_and_the_maps_get_right(
        int seed, double failing, double killing)
    {
        var random = new Random(seed);
        for (int run = 0; run < 40; run++)
            Run(random, failing, killing);
    }

    private static void Run(Random random, double failing, double killing)
    {
        InMemoryMaps? maps = null;
        MapWrite? BeforeEachWrite()
        {
            AssertWholePaths(maps!);
            if (random.NextDouble() < killing)
                throw new KilledException();
            if (random.NextDouble() >= failing)
                return null;
            // A full map undoes what the attempt did, so too many of them leave no attempt a chance.
            return random.Next(20) switch
            {
                0 => new MapWrite(MapError.Full, "E2BIG"),
                < 10 => new MapWrite(MapError.Failed, "EINVAL"),
                _ => new MapWrite(MapError.OutOfMemory, "ENOMEM"),
            };
        }

        maps = new InMemoryMaps(new Dictionary<string, uint> { [MapNames.Slots] = 16_384 }, BeforeEachWrite);
        var cluster = new Cluster(maps);
        var services = new Dictionary<string, Service>();
        var slices = new Dictionary<string, EndpointSlice>();
        for (int step = 0; step < 30; step++)
        {
            string name = $"s{random.Next(5)}";
            if (random.Next(5) == 0)
            {
                services.Remove(name);
                slices.Remove(name);
                Survive(cluster, () => cluster.Remove(name));
            }
            else if (random.Next(2) == 0 || !services.ContainsKey(name))
            {
                services[name] = RandomService(random, name);
                Survive(cluster, () => cluster.Apply(services[name]));
            }
            else
            {
                slices[name] = RandomSlice(random, name);
                Survive(cluster, () => cluster.Apply(slices[name]));
            }
        }

        for (int tries = 0; tries < 1000; tries++)
        {
            try
            {
                cluster.ReconcileUntilClean();
                break;
            }
            catch (KilledException)
            {
                Survive(cluster, () => throw new KilledException());
            }
        }

        AssertAsIfProgrammedAtOnce(cluster, services, slices);
    }

    private static void AssertAsIfProgrammedAtOnce(
        Cluster cluster, Dictionary<string, Service> services, Dictionary<string, EndpointSlice> slices)
    {
        var fresh = new Cluster(new InMemoryMaps());
        fresh.Apply([.. services.Values, .. slices.Values]);
        Assert.Equal(fresh.Text, cluster.Text);
        Assert.Empty(cluster.Inconsistencies);

        // Backends may be without counters where a write met a full map.
        var backends = cluster.Maps.Backends.ReadAll().Select(entry => entry.Key).ToHashSet();
        Assert.Subset(backends, cluster.Maps.Counters.ReadAll().Select(entry => entry.Key).ToHashSet());
        Assert.Equal(backends.Count - cluster.Maps.Counters.ReadAll().Count, cluster.Sync.UncountedBackends);
    }

    // A killed agent comes back, perhaps to be killed again while it restores.
    private static void Survive(Cluster cluster, Action action)
    {
        bool killed = false;
        for (int tries = 0; tries < 1000; tries++)
        {
            try
            {
                if (killed)
                    cluster.Restart();
                else
                    action();
                return;
            }
            catch (KilledException)
            {
                killed = true;
            }
        }

        Assert.Fail("The agent never came up.");
    }

    /// <summary>What a program would follow, at any moment: frontend, service, slot, backend of that service.</summary>
    private static void AssertWholePaths(InMemoryMaps maps)
    {
        foreach (var (key, frontend) in maps.Frontends.ReadAll())
        {
            Assert.True(maps.Services.TryGet(frontend.ServiceId, out var service), "a frontend names a service that does not exist");
            Assert.True(!key.Address.IsAny || maps.NodePorts.Range.Contains(key.Port.Value), "a node port is outside of their range");
            AssertRestricted(maps, frontend, service);
            foreach (var range in new[] { service.Cluster, service.Local })
            {
                uint[] slots = new uint[range.Count];
                maps.Slots.Read(range.Base, slots);
                foreach (uint id in slots.Distinct())
                {
                    Assert.True(maps.Backends.TryGet(id, out var backend), "a slot names a backend that does not exist");
                    Assert.Equal(frontend.ServiceId, backend.ServiceId);
                }
            }
        }
    }

    /// <summary>Every <see cref="RandomService"/> with a load balancer address admits this source, and never everybody.</summary>
    private static void AssertRestricted(InMemoryMaps maps, FrontendValue frontend, ServiceValue service)
    {
        bool restricted = service.Flags.HasFlag(ServiceFlags.SourceRanges);
        Assert.True(restricted || !frontend.Flags.HasFlag(FrontendFlags.LoadBalancer), "a load balancer address admits everybody");
        Assert.True(
            !restricted || maps.SourceRanges.TryGet(
                new SourceRangeKey { PrefixBits = 160, ServiceId = frontend.ServiceId, Address = Address.Parse("192.0.2.1") }, out _),
            "a source that is always admitted is not");
    }

    private static Service RandomService(Random random, string name) => Cluster.Service(
        name,
        $"10.96.0.{random.Next(1, 4)}",
        with: service => service with
        {
            CreatedAt = DateTimeOffset.UnixEpoch.AddSeconds(random.Next(3)),
            AffinityTimeoutSeconds = (uint)random.Next(2) * 60,
            InternalTrafficPolicy = (TrafficPolicy)random.Next(2),
            Algorithm = random.Next(6) == 0 ? Algorithm.Maglev : Algorithm.Random,
            Ports = [.. Enumerable.Range(80, random.Next(1, 4)).Select(port => RandomPort(random, port))],
            LoadBalancerIPs = random.Next(2) == 0 ? [Address.Parse($"198.51.100.{random.Next(1, 3)}")] : default,
            ExternalIPs = random.Next(4) == 0 ? [Address.Parse("203.0.113.20")] : default,
            LoadBalancerSourceRanges =
            [
                AddressPrefix.Parse("192.0.2.1/32"),
                .. Enumerable.Range(1, 3).Where(_ => random.Next(2) == 0).Select(net => AddressPrefix.Parse($"10.{net}.0.0/16")),
            ],
        });

    private static ServicePort RandomPort(Random random, int port) => new(
        port == 80 ? "" : $"{"pq"[random.Next(2)]}{port}", Protocol.Tcp, (ushort)port,
        (ushort)(random.Next(2) * random.Next(30000 + port, 30002 + port)));

    private static EndpointSlice RandomSlice(Random random, string service)
    {
        var slice = Cluster.Slice(service, [.. Enumerable.Range(11, 8).Where(_ => random.Next(2) == 0).Select(host => $"10.244.1.{host}")]);
        return slice with
        {
            Ports =
            [
                new EndpointPort("", Protocol.Tcp, 8080),
                new EndpointPort("p81", Protocol.Tcp, 8081),
                new EndpointPort("q81", Protocol.Tcp, 8082),
            ],
            Endpoints = slice.Endpoints.Select(endpoint => endpoint with
            {
                Ready = random.Next(4) > 0,
                Terminating = random.Next(4) == 0,
                NodeName = random.Next(2) == 0 ? "node1" : "node2",
            }).ToEquatableArray(),
        };
    }
}
