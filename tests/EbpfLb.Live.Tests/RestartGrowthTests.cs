// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Maps;
using EbpfLb.Live.Tests.Support;
using Xunit.Abstractions;

namespace EbpfLb.Live.Tests;

/// <summary>Maps that are too small for what comes.</summary>
public sealed class RestartGrowthTests(ITestOutputHelper output)
{
    [PrivilegedFact]
    public async Task S142_conntrack_grows_under_traffic_and_keeps_every_flow()
    {
        const int Room = 4096, Flows = 1640;
        await using var node = await OuterNode.PrepareAsync();
        await node.MakeReadyForXdpAsync();
        await using (var first = Agent(node, $"{MapNames.Conntrack}={Room}"))
        {
            await first.StartAsync();
            await first.KillAsync();
        }

        // A size that nobody asks for any more is no limit.
        await node.Agent.StartAsync();
        Assert.Equal((uint)Room, MaxEntries(node.Agent, MapNames.Conntrack));
        var service = node.NewService();
        await service.PublishAsync(node.P11.Ready, node.P21.Ready);
        await using var load = await SteadyLoad.StartAsync(
            node.Outside, service.AtNodePort(), intervalMs: 100, connections: 20, sockets: 5, timeoutMs: 5000);
        await using var held = await node.Outside.HoldAsync(service.AtNodePort(), Flows / 2);
        await using var more = await node.Outside.HoldAsync(service.LoadBalancer(), Flows / 2);
        string grown = await node.Agent.WaitForLogAsync("Maps have room for more now:");
        output.WriteLine(grown);
        Assert.Contains($"{MapNames.Conntrack}={2 * Room}", grown, StringComparison.Ordinal);
        Assert.Equal((uint)(2 * Room), MaxEntries(node.Agent, MapNames.Conntrack));
        foreach (var connections in new[] { held, more })
        {
            var report = await connections.CheckAsync();
            Assert.Empty(report.Failures);
            Assert.Equal(Flows / 2, report.Backends.Values.Sum());
        }

        // Hundreds of openings at once may be more than the queue of a veth holds.
        await load.StopAsync(lost: 2, "p11", "p21");
        Assert.Equal("OK", (await node.Agent.CommandAsync("status")).StdOut.Split('\n')[0].Split(':')[0]);

        // The next start finds it as large.
        await node.Agent.KillAsync();
        await node.Agent.StartAsync();
        Assert.Equal((uint)(2 * Room), MaxEntries(node.Agent, MapNames.Conntrack));
        Assert.Equal(Flows / 2, (await held.CheckAsync()).Backends.Values.Sum());
    }

    [PrivilegedFact]
    public async Task S142_maps_of_services_grow_until_what_was_refused_fits()
    {
        const int Room = 40;
        string[] small = [MapNames.Services, MapNames.Backends, MapNames.Frontends, MapNames.Slots, MapNames.ServiceNames];
        await using var node = await LiveNode.CreateAsync([.. small.SelectMany(map => new[] { "--map-size", $"{map}={Room}" })]);
        await node.Agent.KillAsync();
        await using var agent = new LiveAgent(node.Agent.BpfFs, node.Agent.Cgroup, node.Agent.Manifests)
        {
            // As it is deployed.
            Under = ["setpriv", "--bounding-set=-all,+bpf,+net_admin,+perfmon", "--inh-caps=-all"],
        };
        await agent.StartAsync();
        var services = Enumerable.Range(0, 12).Select(_ => node.NewService()).ToArray();
        foreach (var service in services)
            agent.Manifests.Write(service.File, Manifests.File([service.Manifest(), .. service.Slices([node.P11.Ready, node.P21.Ready])]));
        await Eventually.True(
            () => services.All(service => agent.ReadSnapshot().Services.Count(view => service.Owns(view.Name) && view.Frontends.Count > 0) == 4),
            "every service is programmed");
        Assert.Empty(agent.ReadSnapshot().Inconsistencies);
        foreach (var service in services)
            (await node.P12.TcpAsync(service, DialFamily.V4, count: 10)).AssertNoneFailed();
        Assert.All(small, map => Assert.True(MaxEntries(agent, map) > Room, map));
    }

    [PrivilegedFact]
    public async Task S142_a_larger_size_at_the_next_start_keeps_every_flow()
    {
        await using var node = await OuterNode.PrepareAsync();
        await node.MakeReadyForXdpAsync();
        await node.Agent.StartAsync();
        var service = node.NewService();
        await service.PublishAsync(node.P11.Ready, node.P21.Ready);
        await using var load = await SteadyLoad.StartAsync(node.Outside, service.AtNodePort(), timeoutMs: 5000);
        await node.Agent.KillAsync();
        string[] sizes = [.. new[] { MapNames.Conntrack, MapNames.Services, MapNames.Slots }.Select(map => $"{map}=300000")];
        await using (var larger = Agent(node, sizes))
        {
            await larger.StartAsync();
            Assert.Contains("Maps replaced: ", larger.Log, StringComparison.Ordinal);
            Assert.Contains("0 map writes", larger.Log, StringComparison.Ordinal);
            Assert.Equal(300_000u, MaxEntries(larger, MapNames.Conntrack));
            await load.FlowAsync();
        }

        await node.Agent.StartAsync();
        await load.StopAsync("p11", "p21");
        output.WriteLine($"{load.Conversations} conversations, 0 failed");
    }

    private static LiveAgent Agent(OuterNode node, params string[] sizes) =>
        new(node.Agent.BpfFs, node.Agent.Cgroup, node.Manifests, [.. sizes.SelectMany(size => new[] { "--map-size", size })])
        {
            NetworkNamespace = node.Host.NetworkNamespace,
        };

    private static uint MaxEntries(LiveAgent agent, string map) => Assert.Single(agent.ReadStatus().Maps, view => view.Name == map).MaxEntries;
}
