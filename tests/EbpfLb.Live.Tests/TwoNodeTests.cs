// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Live.Tests.Support;

namespace EbpfLb.Live.Tests;

/// <summary>An agent on each node.</summary>
public sealed class PairedNodes : OuterNode, IAsyncLifetime
{
    async Task IAsyncLifetime.InitializeAsync()
    {
        await InitializeAsync();
        if (Environment.IsPrivilegedProcess)
            await StartSecondAgentAsync();
    }
}

/// <summary>Clients that meet the same service through two nodes.</summary>
public sealed class TwoNodeTests(PairedNodes node) : OuterTest(node), IClassFixture<PairedNodes>
{
    [PrivilegedFact]
    public async Task S10_both_nodes_answer_with_all_endpoints()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready, Node.P21.Ready);
        foreach (string address in new[] { OuterNode.FirstV4, OuterNode.SecondV4, OuterNode.FirstV6, OuterNode.SecondV6 })
        {
            var report = await Node.Distant.TcpAsync(service.AtNodePort(address), count: 20);
            report.AssertAnsweredBy("p11", "p21");
            Assert.Equal([service.AtNodePort(address).Tcp], report.Peernames.Keys);
        }
    }

    [PrivilegedFact]
    public async Task S90_one_client_port_may_come_through_two_nodes_to_one_backend_at_once()
    {
        var service = Node.NewService();
        int port = 12345;
        foreach (var pod in new[] { Node.P11, Node.P21 })
        {
            await service.PublishAsync(pod.Ready);
            foreach (bool v6 in OuterNode.Families)
            {
                string[] from = ["--source-port", $"{port++}"];
                var second = service.AtNodePort(v6 ? OuterNode.SecondV6 : OuterNode.SecondV4);
                await using var one = await Node.Outside.HoldAsync(service.AtNodePort(v6), 1, from);
                await using var other = await Node.Outside.HoldAsync(second, 1, from);
                for (int i = 0; i < 3; i++)
                {
                    (await one.CheckAsync()).AssertHolds(pod.Name);
                    (await other.CheckAsync()).AssertHolds(pod.Name);
                }
            }
        }
    }

    [PrivilegedFact]
    public async Task S112_a_connection_whose_route_moves_goes_on_if_its_backend_is_on_the_node_it_came_through_first()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready);
        foreach (bool v6 in OuterNode.Families)
        {
            await using var held = await Node.Outside.HoldAsync(service.LoadBalancer(v6), count: 5);
            await using var moved = await MoveAsync(service, v6);
            for (int i = 0; i < 3; i++)
                (await held.CheckAsync()).AssertHolds("p11");
            Assert.Equal(5, (await held.CheckAsync()).Backends.Values.Sum());
            (await Node.Outside.TcpAsync(service.LoadBalancer(v6), count: 5)).AssertAnsweredBy("p11");
        }
    }

    [PrivilegedFact]
    public async Task S112_a_masqueraded_connection_whose_route_moves_ends_and_its_client_learns_it()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P21.Ready);
        foreach (bool v6 in OuterNode.Families)
        {
            await using var held = await Node.Outside.HoldAsync(service.LoadBalancer(v6), count: 1);
            await using var moved = await MoveAsync(service, v6);
            (await held.CheckAsync()).AssertAllFailedWith("ECONNRESET");
            (await Node.Outside.TcpAsync(service.LoadBalancer(v6), count: 5)).AssertAnsweredBy("p21");
        }
    }

    // The fabric leads packets for the address to the other node.
    private async Task<Undo> MoveAsync(OuterService service, bool v6)
    {
        string address = service.LoadBalancer(v6).Address;
        string route = v6
            ? $"{address}/128 via {OuterNode.SecondV6} src {Node.Outside.V6}"
            : $"{address}/32 via {OuterNode.SecondV4} src {Node.Outside.V4}";
        await Node.Outside.IpAsync($"route add {route}");
        return new Undo(() => Node.Outside.IpAsync($"route del {route}"));
    }
}
