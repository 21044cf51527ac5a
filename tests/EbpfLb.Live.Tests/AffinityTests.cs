// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using EbpfLb.Datapath.Inspection;
using EbpfLb.Live.Tests.Support;

namespace EbpfLb.Live.Tests;

/// <summary>Session affinity ClientIP: a client of a service port stays with its backend.</summary>
public sealed class AffinityTests(LiveNode node) : LiveTest(node)
{
    private const string ClientIP = "sessionAffinity: ClientIP";

    [PrivilegedFact]
    public async Task S114_affinity_keeps_a_client_at_one_backend_and_can_be_switched_while_traffic_flows()
    {
        var service = Node.NewService(ClientIP);
        await PublishAsync(service, ClientIP);
        await Node.FromEverywhereAsync(async (client, family) => await AssertOneBackendAsync(client, service, family));

        await PublishAsync(service, "sessionAffinity: None");
        await Node.FromEverywhereAsync(async (client, family) =>
        {
            Assert.NotEqual(1, (await client.TcpAsync(service, family, count: 50)).Backends.Count);
            Assert.NotEqual(1, (await client.UdpAsync(service, family, count: 50)).Backends.Count);
        });

        await PublishAsync(service, ClientIP);
        await Node.FromEverywhereAsync(async (client, family) => await AssertOneBackendAsync(client, service, family));
    }

    [PrivilegedFact]
    public async Task S115_each_connection_restarts_the_timeout()
    {
        var timeout = TimeSpan.FromSeconds(3);
        var service = Node.NewService();
        await PublishAsync(service, ClientIP + "\nsessionAffinityConfig: {clientIP: {timeoutSeconds: 3}}");

        var often = CallAsync(Node.P12, TimeSpan.FromSeconds(2));
        var seldom = CallAsync(Node.P13, TimeSpan.FromSeconds(4.2));

        // A machine that stood still for a second made a call come too late; that one proves nothing.
        var calls = (await often).Zip((await often).Skip(1)).Where(pair => pair.Second.End - pair.First.Start < timeout).ToArray();
        Assert.NotEmpty(calls);
        Assert.All(calls, pair => Assert.Equal(pair.First.Destination, pair.Second.Destination));

        // By chance alone all six are the same less than once in 700,000 times.
        Assert.NotEqual(1, (await seldom).Select(call => call.Destination).Distinct().Count());

        async Task<List<(TimeSpan Start, TimeSpan End, string Destination)>> CallAsync(Client client, TimeSpan interval)
        {
            var clock = Stopwatch.StartNew();
            List<(TimeSpan, TimeSpan, string)> calls = [];
            for (int i = 0; i < 6; i++)
            {
                if (i > 0)
                    await Task.Delay(interval);
                var start = clock.Elapsed;
                string destination = Assert.Single((await client.TcpAsync(service, DialFamily.V4)).Destinations.Keys);
                calls.Add((start, clock.Elapsed, destination));
            }

            return calls;
        }
    }

    [PrivilegedFact]
    public async Task S116_a_client_whose_backend_is_removed_or_terminates_sticks_to_another()
    {
        Client[] pods = [Node.P11, Node.P13, Node.P21, Node.P22];
        var service = Node.NewService(ClientIP);
        await service.PublishAsync([.. pods.Select(pod => pod.Ready)]);
        var first = Find(await AssertOneBackendAsync(Node.P12, service, DialFamily.V4));

        await service.PublishAsync([.. pods.Except([first]).Select(pod => pod.Ready)]);
        await AssertNoEntryOfAsync(first);
        var second = Find(await AssertOneBackendAsync(Node.P12, service, DialFamily.V4));
        Assert.NotEqual(first, second);

        await service.PublishAsync([.. pods.Except([first, second]).Select(pod => pod.Ready), second.Terminating]);
        await AssertNoEntryOfAsync(second);
        var third = Find(await AssertOneBackendAsync(Node.P12, service, DialFamily.V4));
        Assert.NotEqual(second, third);

        // Those that come back do not take the client along.
        await service.PublishAsync([.. pods.Select(pod => pod.Ready)]);
        Assert.Equal(third, Find(await AssertOneBackendAsync(Node.P12, service, DialFamily.V4)));

        Client Find(string name) => pods.Single(pod => pod.Name == name);

        Task AssertNoEntryOfAsync(Client pod) => Eventually.True(
            () => EntriesOf(service).All(entry => entry.Backend is { } backend && backend.Address.ToString() != pod.V4),
            $"no affinity entry for {pod.Name}");
    }

    [PrivilegedFact]
    public async Task S117_a_client_is_a_network_namespace_and_each_port_and_family_binds_it_anew()
    {
        var service = Node.NewService(ClientIP);
        await PublishAsync(service, ClientIP);
        foreach (var client in new[] { Node.P11, Node.P12, Node.Host })
        {
            await AssertOneBackendAsync(client, service, DialFamily.V4);
            await AssertOneBackendAsync(client, service, DialFamily.V6);
            await AssertOneBackendAsync(client, service, DialFamily.Mapped);
        }

        // Three clients; TCP and UDP in two families, and a mapped address is an IPv4 one.
        var entries = EntriesOf(service);
        Assert.Equal(3, entries.Select(entry => entry.Client).Distinct().Count());
        Assert.Equal(4, entries.Select(entry => entry.ServiceId).Distinct().Count());
        Assert.Equal(12, entries.Count);
        Assert.All(entries, entry => Assert.Equal(AffinityState.Bound, entry.State));
    }

    [PrivilegedFact]
    public async Task S117_processes_of_one_pod_are_one_client_and_pods_are_several()
    {
        // Of fifteen endpoints three clients choose the same one in 225 times; at four services they hardly ever do.
        List<int> distinct = [];
        for (int i = 0; i < 4; i++)
        {
            var service = Node.NewService(ClientIP);
            await PublishAsync(service, ClientIP);
            var destinations = new HashSet<string>();
            foreach (var client in new[] { Node.P11, Node.P12, Node.Host })
            {
                string[] ofClient =
                [
                    .. (await client.TcpAsync(service, DialFamily.V4)).Destinations.Keys,
                    .. (await client.TcpAsync(service, DialFamily.V4)).Destinations.Keys,
                ];
                destinations.Add(Assert.Single(ofClient.Distinct()));
            }

            distinct.Add(destinations.Count);
        }

        Assert.Contains(distinct, count => count > 1);
    }

    [PrivilegedFact]
    public async Task S118_a_full_affinity_table_refuses_nobody()
    {
        const int Room = 16;
        const int Services = 20;
        await using var small = await LiveNode.CreateAsync("--map-size", $"affinity_v1={Room}");
        List<LiveService> services = [];
        for (int i = 0; i < Services; i++)
            services.Add(small.NewService(ClientIP));
        Endpoint[] endpoints = [small.P11.Ready, small.P21.Ready];
        string all = Manifests.File(services.SelectMany(service => service.Slices(endpoints).Prepend(service.Manifest())));
        await small.Agent.SyncAsync(() => small.Agent.Manifests.Write("all.yaml", all));

        foreach (var service in services)
        {
            foreach (var client in small.Clients)
            {
                (await client.TcpAsync(service, DialFamily.V4)).AssertNoneFailed();
                (await client.UdpAsync(service, DialFamily.V6)).AssertNoneFailed();
            }
        }

        Assert.InRange(small.Agent.ReadAffinity().Count, 1, Room);
        await AssertOneBackendAsync(small.P12, services[0], DialFamily.V4);
        Assert.Empty(small.Agent.ReadSnapshot().Inconsistencies);
    }

    // Fifteen endpoints in each family.
    private Task PublishAsync(LiveService service, string spec)
    {
        Endpoint[] endpoints = [.. Node.Playground.AllPods.Select(pod => pod.Ready)];
        ServicePort[] Ports(int number) => [new("tcp", "TCP", number), new("udp", "UDP", number)];
        return service.PublishTextAsync(
        [
            service.Manifest(spec),
            .. LiveNode.ServerPorts.Select(port => service.SliceV4($"v4-{port}", Ports(port), endpoints)),
            .. LiveNode.ServerPorts.Select(port => service.SliceV6($"v6-{port}", Ports(port), endpoints)),
        ]);
    }

    /// <summary>Returns its name.</summary>
    private static async Task<string> AssertOneBackendAsync(Client client, LiveService service, DialFamily family)
    {
        var tcp = await client.TcpAsync(service, family, count: 15);
        tcp.AssertNoneFailed();
        Assert.Single(tcp.Destinations);
        var udp = await client.UdpAsync(service, family, count: 15);
        udp.AssertNoneFailed();
        Assert.Single(udp.Backends);
        return tcp.Backends.Keys.Single();
    }

    private IReadOnlyList<AffinityView> EntriesOf(LiveService service) =>
        [.. Node.Agent.ReadAffinity().Where(entry => service.Owns(entry.ServiceName))];
}
