// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Live.Tests.Support;
using EbpfLb.LoadBalancing.Desired;

namespace EbpfLb.Live.Tests;

/// <summary>What the conditions of an endpoint mean for connections that are new, and for those that exist.</summary>
public sealed class EndpointConditionTests(LiveNode node) : LiveTest(node)
{
    [PrivilegedFact]
    public async Task S119_a_terminating_endpoint_keeps_its_connections_and_gets_no_new_ones()
    {
        var service = Node.NewService();
        foreach (var family in LiveNode.Families)
        {
            await service.PublishAsync(Node.P11.Ready, Node.P21.Ready);
            await using var held = await Node.P12.HoldAsync(service, family, count: 40);
            var before = await held.OpenedAsync();
            before.AssertHolds("p11", "p21");

            await service.PublishAsync(Node.P11.Ready, Node.P21.Terminating);
            foreach (var client in Node.Clients)
            {
                (await client.TcpAsync(service, family, count: 40)).AssertAnsweredBy("p11");
                (await client.UdpAsync(service, family, count: 40)).AssertAnsweredBy("p11");
            }

            var after = await held.CheckAsync();
            after.AssertHolds("p11", "p21");
            Assert.Equal(before.Backends, after.Backends);
        }
    }

    [PrivilegedFact]
    public async Task S120_endpoints_that_terminate_and_still_serve_are_used_when_no_other_is_left()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Terminating, Node.P21.Terminating, Node.P13.Terminated);
        await Node.FromEverywhereAsync(async (client, family) =>
            (await client.TcpAsync(service, family, count: 40)).AssertAnsweredBy("p11", "p21"));
    }

    [PrivilegedFact]
    public async Task S120_under_policy_Local_each_node_falls_back_by_itself()
    {
        // Elsewhere a ready one is left, here only one that terminates: Cluster takes the first, Local the second.
        LiveService cluster = Node.NewService(), local = Node.NewService("internalTrafficPolicy: Local");
        await cluster.PublishAsync(Node.P11.Terminating, Node.P21.Ready);
        await local.PublishAsync(Node.P11.Terminating, Node.P21.Ready);
        await Node.FromEverywhereAsync(async (client, family) =>
        {
            (await client.TcpAsync(cluster, family, count: 20)).AssertAnsweredBy("p21");
            (await client.TcpAsync(local, family, count: 20)).AssertAnsweredBy("p11");
        });

        await local.PublishAsync(Node.P11.Terminating, Node.P13.Ready, Node.P21.Ready);
        await Node.FromEverywhereAsync(async (client, family) =>
            (await client.TcpAsync(local, family, count: 20)).AssertAnsweredBy("p13"));
    }

    [PrivilegedFact]
    public async Task S121_endpoints_that_terminate_and_do_not_serve_are_refused_also_when_they_are_gone()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Terminated, Node.P21.Terminated);
        await AssertRefusedAsync();

        // The slices go, the service stays.
        await service.PublishAsync(Node.P11.Terminating);
        await service.PublishTextAsync(service.Manifest());
        await AssertRefusedAsync();

        async Task AssertRefusedAsync()
        {
            await Node.FromEverywhereAsync(async (client, family) =>
            {
                (await client.TcpAsync(service, family)).AssertAllFailedWith("ECONNREFUSED");
                (await client.UdpAsync(service, family)).AssertAllFailedWith("ECONNREFUSED");
            });
            // Connections to an endpoint that its slices still have are not ended, so it is known; nobody new is given to it.
            Assert.DoesNotContain(Node.Agent.ReadSnapshot().Backends, backend => service.Owns(backend.ServiceName)
                && (backend.Flags & (BackendFlags.InCluster | BackendFlags.InLocal)) != 0);
        }
    }

    [PrivilegedFact]
    public async Task S122_unready_endpoints_are_reached_only_where_they_are_published_as_ready()
    {
        // With publishNotReadyAddresses the slices call every endpoint ready, those that terminate included.
        LiveService published = Node.NewService("publishNotReadyAddresses: true"), plain = Node.NewService();
        await published.PublishAsync(
            Node.P11.NotReady with { Ready = true }, Node.P21.Terminated with { Ready = true }, Node.P13.Terminating with { Ready = true });
        await plain.PublishAsync(Node.P11.NotReady, Node.P21.Terminated);
        await Node.FromEverywhereAsync(async (client, family) =>
        {
            (await client.TcpAsync(published, family, count: 60)).AssertAnsweredBy("p11", "p13", "p21");
            (await client.TcpAsync(plain, family)).AssertAllFailedWith("ECONNREFUSED");
        });
    }
}
