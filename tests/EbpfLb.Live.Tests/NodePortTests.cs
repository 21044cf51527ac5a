// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Live.Tests.Support;

namespace EbpfLb.Live.Tests;

/// <summary>Which addresses of a node answer NodePorts, and to whom.</summary>
public sealed class NodePortTests(OuterNode node) : OuterTest(node), IClassFixture<OuterNode>
{
    [PrivilegedFact]
    public async Task S10_pods_and_the_host_reach_NodePorts_of_their_node_and_of_another()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready, Node.P21.Ready);
        foreach (var client in new[] { Node.P12, Node.Host, Node.P22, Node.SecondHost })
        {
            foreach (bool v6 in OuterNode.Families)
            {
                (await client.TcpAsync(service.AtNodePort(v6), count: 20)).AssertAnsweredBy("p11", "p21");
                (await client.UdpAsync(service.AtNodePort(v6), count: 20)).AssertAnsweredBy("p11", "p21");
            }
        }
    }

    [PrivilegedFact]
    public async Task S9_endpoints_on_the_network_of_their_node_are_reached_from_everywhere()
    {
        await using var first = await Node.HostOnFabric.ServeAsync([LiveService.TargetPort]);
        await using var second = await Node.SecondHost.ServeAsync([LiveService.TargetPort]);
        var service = Node.NewService() with { HasExternalIPs = true };
        await service.PublishAsync(
            Node.HostOnFabric.Ready, (Node.SecondHost with { V4 = OuterNode.SecondV4, V6 = OuterNode.SecondV6 }).Ready);
        foreach (var client in new[] { Node.Outside, Node.Distant })
        {
            foreach (var target in service.OuterTargets())
                await AssertBothAsync(client, target);
        }

        foreach (var client in new[] { Node.P12, Node.Host })
        {
            foreach (var target in service.Targets())
                await AssertBothAsync(client, target);
        }

        static async Task AssertBothAsync(Client client, Target target)
        {
            var tcp = await client.TcpAsync(target, count: 20);
            tcp.AssertAnsweredBy("n1", "n2");
            Assert.Equal([target.Tcp], tcp.Peernames.Keys);
            var udp = await client.UdpAsync(target, count: 20);
            udp.AssertAnsweredBy("n1", "n2");
            Assert.Equal([target.Udp], udp.From.Keys);
        }
    }

    [PrivilegedFact]
    public async Task S11_only_the_addresses_that_were_named_answer_NodePorts()
    {
        await using var node = await OuterNode.PrepareAsync("--nodeport-addresses", "10.10.0.0/24,fd00:10:10::/64");
        await node.Host.IpAsync("addr add 172.31.0.1/32 dev lo");
        await node.Outside.IpAsync("route add 172.31.0.1/32 via 10.10.0.1 src 192.0.2.10");
        await node.Agent.StartAsync();
        var service = node.NewService();
        await service.PublishAsync(node.P11.Ready, node.P21.Ready);
        foreach (bool v6 in OuterNode.Families)
            (await node.Outside.TcpAsync(service.AtNodePort(v6), count: 20)).AssertAnsweredBy("p11", "p21");

        var other = service.AtNodePort("172.31.0.1");
        (await node.Outside.TcpAsync(other)).AssertAllFailedWith("ECONNREFUSED");
        (await node.Outside.UdpConnectedAsync(other)).AssertAllFailedWith("ECONNREFUSED");
        (await node.Host.TcpAsync(other)).AssertAllFailedWith("ECONNREFUSED");
    }

    [PrivilegedFact]
    public async Task S12_loopback_NodePorts_are_for_the_processes_of_the_node_alone()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready, Node.P21.Ready);
        foreach (string loopback in new[] { "127.0.0.1", "::1" })
        {
            var target = service.AtNodePort(loopback);
            (await Node.Host.TcpAsync(target, count: 20)).AssertAnsweredBy("p11", "p21");
            (await Node.Host.UdpAsync(target, count: 20)).AssertAnsweredBy("p11", "p21");
            (await Node.P12.TcpAsync(target)).AssertAllFailedWith("ECONNREFUSED");
        }
    }

    [PrivilegedFact]
    public async Task S12_a_packet_from_the_wire_to_a_loopback_address_is_answered_by_nobody()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready, Node.P21.Ready);
        await Node.Outside.WriteAsync("/proc/sys/net/ipv4/conf/all/route_localnet", "1");
        foreach (string route in new[] { "local 127.0.0.0/8 dev lo", "local 127.0.0.1 dev lo" })
            await Node.Outside.IpAsync($"route del table local {route}");
        await Node.Outside.IpAsync("route add 127.0.0.0/8 via 10.10.0.1 src 192.0.2.10");
        try
        {
            await using var frames = await Node.Outside.WatchAsync("n1", "127.0.0.1");
            (await Node.Outside.TcpAsync(service.AtNodePort("127.0.0.1"), count: 1, "--timeout", "300")).AssertAllFailedWith("timeout");
            (await Node.Outside.UdpAsync(service.AtNodePort("127.0.0.1"), count: 1, "--timeout", "300")).AssertAllFailedWith("timeout");
            var seen = await frames.StopAsync();
            Assert.NotEmpty(seen);
            Assert.All(seen.Keys, frame => Assert.StartsWith("out ", frame, StringComparison.Ordinal));
        }
        finally
        {
            await Node.Outside.IpAsync("route del 127.0.0.0/8");
            await Node.Outside.IpAsync("route add table local local 127.0.0.0/8 dev lo");
        }
    }

    [PrivilegedFact]
    public async Task S15_pods_and_the_host_reach_all_endpoints_of_a_Local_service_through_their_own_node()
    {
        var service = Node.NewService("externalTrafficPolicy: Local");
        await service.PublishAsync(Node.P21.Ready, Node.P22.Ready);
        foreach (var target in service.OuterTargets())
        {
            var family = target.IsV6 ? DialFamily.V6 : DialFamily.V4;
            foreach (var (client, source) in new[] { (Node.P12, Node.P12.Source(family)), (Node.Host, Node.HostOnFabric.Source(family)) })
            {
                foreach (var report in new[] { await client.TcpAsync(target, count: 20), await client.UdpAsync(target, count: 20) })
                {
                    report.AssertAnsweredBy("p21", "p22");
                    Assert.Equal([source], report.Sources.Keys);
                }
            }
        }
    }

    [PrivilegedFact]
    public async Task S28_another_NodePort_number_takes_new_connections_and_leaves_the_open_ones()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready, Node.P21.Ready);
        var renumbered = service with { NodePort = service.NodePort + 1000 };
        foreach (bool v6 in OuterNode.Families)
        {
            await using var held = await Node.Outside.HoldAsync(service.AtNodePort(v6), count: 10);
            await renumbered.PublishAsync(Node.P11.Ready, Node.P21.Ready);
            (await Node.Outside.TcpAsync(renumbered.AtNodePort(v6), count: 20)).AssertAnsweredBy("p11", "p21");
            (await Node.Outside.TcpAsync(service.AtNodePort(v6))).AssertAllFailedWith("ECONNREFUSED");
            (await held.CheckAsync()).AssertHolds("p11", "p21");
            await service.PublishAsync(Node.P11.Ready, Node.P21.Ready);
        }
    }
}
