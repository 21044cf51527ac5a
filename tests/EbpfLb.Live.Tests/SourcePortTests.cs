// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Live.Tests.Support;

namespace EbpfLb.Live.Tests;

/// <summary>The ports under which backends of other nodes see clients.</summary>
public sealed class SourcePortTests
{
    private const int First = 50000;

    [PrivilegedFact]
    public async Task S91_when_all_ports_are_taken_further_openings_are_refused_and_counted_until_one_is_free()
    {
        await using var node = await OuterNode.CreateAsync("--snat-ports", $"{First}-{First + 63}");
        var service = node.NewService();
        await service.PublishAsync(node.P21.Ready);
        foreach (bool v6 in OuterNode.Families)
        {
            var target = service.LoadBalancer(v6);
            await using var most = await node.Outside.HoldAsync(target, count: 63);
            await using var last = await node.Outside.HoldAsync(target, count: 1);
            Assert.Equal(64, node.Agent.ReadFlows(flow => flow.Client.Address.IsIPv4 == !v6).Select(flow => flow.Snat).Distinct().Count());
            ulong before = node.Agent.Count(Reason.NoSnatPort);
            (await node.Distant.TcpAsync(target, count: 1, "--timeout", "500")).AssertAllFailedWith("ECONNREFUSED");
            Assert.Equal(before + 1, node.Agent.Count(Reason.NoSnatPort));

            Assert.Equal(63, (await most.CheckAsync()).Backends.Values.Sum());
            Assert.Equal(1, (await last.CheckAsync()).Backends.Values.Sum());
            await last.ResetAsync();
            // A port that was used just now may be passed over once, for a second.
            (await node.Distant.TcpAsync(target, count: 1, "--timeout", "5000")).AssertAnsweredBy("p21");
            Assert.Equal(63, (await most.CheckAsync()).Backends.Values.Sum());
        }
    }

    [PrivilegedFact]
    public async Task S92_ports_of_the_nodes_own_processes_are_left_alone()
    {
        await using var node = await OuterNode.CreateAsync("--snat-ports", $"{First}-{First + 7}");
        // The kernel gives none of them to a process that does not ask for it.
        Assert.Equal($"{First}-{First + 7}", (await node.Host.ReadAsync("/proc/sys/net/ipv4/ip_local_reserved_ports")).Trim());

        var service = node.NewService();
        await service.PublishAsync(node.P21.Ready);
        var direct = service.LoadBalancer().At(node.P21.V4) with { TcpPort = LiveService.TargetPort };
        var own = new List<HeldConnections>();
        try
        {
            foreach (int port in Enumerable.Range(First, 4))
                own.Add(await node.Host.HoldAsync(direct, 1, "--source-port", $"{port}"));
            await using var held = await node.Outside.HoldAsync(service.LoadBalancer(), count: 4);
            Assert.Equal(
                Enumerable.Range(First + 4, 4), node.Agent.ReadFlows(_ => true).Select(flow => (int)flow.Snat!.Value.Port).Order());
            Assert.Equal(4, (await held.CheckAsync()).Backends.Values.Sum());
            foreach (var connection in own)
                (await connection.CheckAsync()).AssertHolds("p21");
        }
        finally
        {
            foreach (var connection in own)
                await connection.DisposeAsync();
        }
    }
}
