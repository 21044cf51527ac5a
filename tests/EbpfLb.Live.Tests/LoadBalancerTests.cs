// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Live.Tests.Support;

namespace EbpfLb.Live.Tests;

/// <summary>Load balancer addresses and external IPs: who may reach what, and what happens when it changes.</summary>
public sealed class LoadBalancerTests(OuterNode node) : OuterTest(node), IClassFixture<OuterNode>
{
    [PrivilegedFact]
    public async Task S16_the_policy_for_traffic_inside_does_not_concern_the_outside()
    {
        var service = Node.NewService("internalTrafficPolicy: Local");
        await service.PublishAsync(Node.P11.Ready, Node.P21.Ready);
        foreach (var target in service.OuterTargets())
            (await Node.Outside.TcpAsync(target, count: 30)).AssertAnsweredBy("p11", "p21");
        foreach (bool v6 in OuterNode.Families)
            (await Node.P12.TcpAsync(service.ClusterIP(v6), count: 20)).AssertAnsweredBy("p11");

        await service.PublishAsync(Node.P21.Ready, Node.P22.Ready);
        foreach (var target in service.OuterTargets())
            (await Node.Outside.TcpAsync(target, count: 30)).AssertAnsweredBy("p21", "p22");
        foreach (bool v6 in OuterNode.Families)
            (await Node.P12.TcpAsync(service.ClusterIP(v6))).AssertAllFailedWith("ETIMEDOUT");
    }

    [PrivilegedFact]
    public async Task S19_an_address_of_mode_Proxy_is_the_proxys_and_packets_to_it_leave_unchanged()
    {
        foreach (string mode in new[] { "", "VIP" })
        {
            var served = Node.NewService() with { IpMode = mode };
            await served.PublishAsync(Node.P11.Ready, Node.P21.Ready);
            foreach (bool v6 in OuterNode.Families)
            {
                (await Node.Outside.TcpAsync(served.LoadBalancer(v6), count: 20)).AssertAnsweredBy("p11", "p21");
                (await Node.P12.TcpAsync(served.LoadBalancer(v6), count: 20)).AssertAnsweredBy("p11", "p21");
            }
        }

        var proxied = Node.NewService() with { IpMode = "Proxy" };
        await proxied.PublishAsync(Node.P11.Ready, Node.P21.Ready);
        foreach (bool v6 in OuterNode.Families)
        {
            var target = proxied.LoadBalancer(v6);
            await using var frames = await Node.Outside.WatchAsync("n1", target.Address);
            Assert.Equal(0, (await Node.P12.TcpAsync(target, count: 1, "--source-port", "20019", "--timeout", "300")).Succeeded);
            string from = v6 ? $"[{Node.P12.V6}]" : Node.P12.V4;
            Assert.Contains((await frames.StopAsync()).Keys, frame =>
                frame.StartsWith($"in tcp {from}:20019 > {target.Tcp} ttl 63 S", StringComparison.Ordinal));
            (await Node.Outside.TcpAsync(proxied.AtNodePort(v6), count: 20)).AssertAnsweredBy("p11", "p21");
        }
    }

    [PrivilegedFact]
    public async Task S20_a_service_may_do_without_NodePorts()
    {
        var service = Node.NewService("allocateLoadBalancerNodePorts: false") with { NodePort = 0 };
        await service.PublishAsync(Node.P11.Ready, Node.P21.Ready);
        foreach (bool v6 in OuterNode.Families)
            (await Node.Outside.TcpAsync(service.LoadBalancer(v6), count: 20)).AssertAnsweredBy("p11", "p21");
        Assert.DoesNotContain(
            Node.Agent.ReadSnapshot().Frontends, view => service.Owns(view.ServiceName) && view.Flags.HasFlag(FrontendFlags.NodePort));
    }

    [PrivilegedFact]
    public async Task S21_only_sources_in_the_ranges_reach_the_load_balancer_address()
    {
        // As people write them: with a blank.
        var service = Node.NewService("loadBalancerSourceRanges: [\" 192.0.2.0/28\", \"2001:db8:0:0::/64\"]");
        await service.PublishAsync(Node.P11.Ready, Node.P21.Ready);
        foreach (bool v6 in OuterNode.Families)
        {
            await AssertAdmittedAsync(Node.Outside, service.LoadBalancer(v6));
            await AssertDroppedAsync(Node.Distant, service.LoadBalancer(v6));
            // Pods are no exception; the socket hook cannot let them wait.
            (await Node.P12.TcpAsync(service.LoadBalancer(v6))).AssertAllFailedWith("ETIMEDOUT");
            foreach (var client in new[] { Node.Distant, Node.P12 })
                (await client.TcpAsync(service.AtNodePort(v6), count: 20)).AssertAnsweredBy("p11", "p21");
            (await Node.P12.TcpAsync(service.ClusterIP(v6), count: 20)).AssertAnsweredBy("p11", "p21");
        }
    }

    [PrivilegedFact]
    public async Task S21_ranges_follow_their_manifest_also_over_a_restart()
    {
        var service = Node.NewService("loadBalancerSourceRanges: [192.0.2.0/28, \"2001:db8:0:0::/64\"]");
        await service.PublishAsync(Node.P11.Ready, Node.P21.Ready);
        foreach (bool v6 in OuterNode.Families)
            await AssertDroppedAsync(Node.Distant, service.LoadBalancer(v6));

        var other = service with { Spec = "loadBalancerSourceRanges: [198.51.100.0/24, \"2001:db8:51::/64\"]" };
        await other.PublishAsync(Node.P11.Ready, Node.P21.Ready);
        await AssertOtherAsync();
        await Node.Agent.KillAsync();
        await Node.Agent.StartAsync();
        await AssertOtherAsync();
        await service.PublishAsync(Node.P11.Ready, Node.P21.Ready);

        // The first says the same as the second, which is why there is another list between them.
        foreach (string spec in new[] { "loadBalancerSourceRanges: [0.0.0.0/0, \"::/0\"]", "" })
        {
            await other.PublishAsync(Node.P11.Ready, Node.P21.Ready);
            await (service with { Spec = spec }).PublishAsync(Node.P11.Ready, Node.P21.Ready);
            foreach (bool v6 in OuterNode.Families)
            {
                foreach (var client in new[] { Node.Outside, Node.Distant })
                    await AssertAdmittedAsync(client, service.LoadBalancer(v6));
                (await Node.P12.TcpAsync(service.LoadBalancer(v6), count: 20)).AssertAnsweredBy("p11", "p21");
            }
        }

        async Task AssertOtherAsync()
        {
            foreach (bool v6 in OuterNode.Families)
            {
                await AssertAdmittedAsync(Node.Distant, service.LoadBalancer(v6));
                await AssertDroppedAsync(Node.Outside, service.LoadBalancer(v6));
            }
        }
    }

    [PrivilegedFact]
    public async Task S22_an_external_IP_that_no_node_has_is_reached_from_a_pod_the_host_and_outside()
    {
        var service = Node.NewService() with { Type = "ClusterIP", HasExternalIPs = true };
        await service.PublishAsync(Node.P11.Ready, Node.P21.Ready);
        foreach (bool v6 in OuterNode.Families)
        {
            foreach (var client in new[] { Node.Outside, Node.Distant, Node.P12, Node.Host })
            {
                (await client.TcpAsync(service.ExternalIP(v6), count: 20)).AssertAnsweredBy("p11", "p21");
                (await client.UdpAsync(service.ExternalIP(v6), count: 20)).AssertAnsweredBy("p11", "p21");
            }
        }
    }

    [PrivilegedFact]
    public async Task S27_after_each_change_of_type_exactly_the_right_addresses_answer()
    {
        var all = Node.NewService() with { HasExternalIPs = true };
        foreach (string type in new[] { "ClusterIP", "NodePort", "LoadBalancer", "ClusterIP", "LoadBalancer", "NodePort", "ClusterIP" })
        {
            var service = all with { Type = type, HasExternalIPs = type == "NodePort" };
            await service.PublishAsync(Node.P11.Ready, Node.P21.Ready);
            var targets = service.OuterTargets().ToArray();
            foreach (var target in all.OuterTargets())
            {
                if (targets.Contains(target))
                    (await Node.Outside.TcpAsync(target, count: 8)).AssertNoneFailed();
                else
                    Assert.Equal(0, (await Node.Outside.TcpAsync(target, count: 1, "--timeout", "100")).Succeeded);
            }

            Assert.Equal(
                service.Targets().SelectMany(Keys).Order(StringComparer.Ordinal),
                Node.Agent.ReadSnapshot().Frontends.Where(view => service.Owns(view.ServiceName))
                    .Select(view => $"{view.Address.Address} {view.Address.Port}").Order(StringComparer.Ordinal));
        }

        static IEnumerable<string> Keys(Target target)
        {
            string address = target.Kind != "NodePort" ? target.Address : target.IsV6 ? "::" : "0.0.0.0";
            return [$"{address} {target.TcpPort}", $"{address} {target.UdpPort}"];
        }
    }

    [PrivilegedFact]
    public async Task S34_a_load_balancer_address_that_is_the_nodes_own_wins_over_a_NodePort_with_its_port()
    {
        var named = Node.NewService() with { LoadBalancerIPs = [OuterNode.FirstV4, OuterNode.FirstV6] };
        var wildcard = Node.NewService() with { Type = "NodePort", NodePort = OuterService.Port };
        await named.PublishAsync(Node.P11.Ready);
        await wildcard.PublishAsync(Node.P13.Ready);
        await AssertAsync();
        await Node.Agent.KillAsync();
        await Node.Agent.StartAsync();
        await AssertAsync();
        await wildcard.DeleteAsync();
        await wildcard.PublishAsync(Node.P13.Ready);
        await AssertAsync();
        await wildcard.DeleteAsync();
        await named.DeleteAsync();

        async Task AssertAsync()
        {
            foreach (bool v6 in OuterNode.Families)
            {
                (await Node.Outside.TcpAsync(named.LoadBalancer(v6), count: 5)).AssertAnsweredBy("p11");
                (await Node.Outside.TcpAsync(wildcard.AtNodePort(v6 ? Node.Host.V6 : Node.Host.V4), count: 5)).AssertAnsweredBy("p13");
            }
        }
    }

    [PrivilegedFact]
    public async Task S6_an_address_of_the_service_range_that_nobody_has_is_never_seen_on_the_uplink()
    {
        Node.Manifests.Write("cidr.yaml", """
            apiVersion: networking.k8s.io/v1
            kind: ServiceCIDR
            metadata: {name: kubernetes}
            spec: {cidrs: ["10.96.0.0/16", "fd00:10:96::/108"]}

            """);
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready);
        await Eventually.True(() => Node.Agent.ReadSnapshot().Inconsistencies.Count == 0, "the maps agree");
        foreach (string address in new[] { "10.96.255.77", "fd00:10:96::b:77" })
        {
            var target = service.ClusterIP().At(address);
            await using var frames = await Node.Outside.WatchAsync("n1", address);
            foreach (var client in new[] { Node.P12, Node.Host })
            {
                (await client.TcpAsync(target, count: 1, "--timeout", "300")).AssertAllFailedWith("timeout");
                (await client.UdpAsync(target, count: 1, "--timeout", "300")).AssertAllFailedWith("timeout");
            }

            Assert.Empty(await frames.StopAsync());
        }
    }

    private static async Task AssertAdmittedAsync(Client client, Target target)
    {
        (await client.TcpAsync(target, count: 20)).AssertAnsweredBy("p11", "p21");
        (await client.UdpAsync(target, count: 20)).AssertAnsweredBy("p11", "p21");
    }

    private async Task AssertDroppedAsync(Client client, Target target)
    {
        ulong before = Node.Agent.Count(Reason.SourceRange);
        (await client.TcpAsync(target, count: 1, "--timeout", "300")).AssertAllFailedWith("timeout");
        (await client.UdpAsync(target, count: 1, "--connected", "--timeout", "300")).AssertAllFailedWith("timeout");
        Assert.Equal(before + 2, Node.Agent.Count(Reason.SourceRange));
    }
}
