// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Live.Tests.Support;
using Protocol = EbpfLb.LoadBalancing.Model.Protocol;

namespace EbpfLb.Live.Tests;

/// <summary>Endpoints come and go while clients go on.</summary>
public sealed class EndpointChangeTests(OuterNode node) : OuterTest(node), IClassFixture<OuterNode>
{
    [PrivilegedFact]
    public async Task S99_datagrams_of_one_socket_follow_the_endpoint()
    {
        var service = Node.NewService();
        var local = Node.NewService("internalTrafficPolicy: Local");
        await service.PublishAsync(Node.P11.Ready);
        await local.PublishAsync(Node.P11.Ready);
        (Client Client, Target Target)[] paths =
        [
            (Node.P12, service.ClusterIP()), (Node.Host, service.ClusterIP(v6: true)), (Node.Outside, service.AtNodePort()),
            (Node.Distant, service.LoadBalancer(v6: true)),
        ];
        await using var streams = new StreamSet(paths.Select(path => path.Client.Stream("udp", path.Target, 10, "--same-socket")));
        await using var inside = Node.P12.Stream("udp", local.ClusterIP(), 10, "--same-socket");
        await streams.FlowAsync();
        await inside.FlowAsync();
        await service.PublishAsync(Node.P21.Ready);
        await local.PublishAsync(Node.P13.Ready);
        await LeftAsync(Node.P11);
        await streams.FlowAsync();
        await inside.FlowAsync();
        foreach (var report in await streams.StopAsync())
        {
            report.AssertAnsweredBy("p11", "p21");
            Assert.Equal(["p21"], report.Buckets[^1].Backends.Keys);
        }

        (await inside.StopAsync()).AssertAnsweredBy("p11", "p13");
    }

    [PrivilegedFact]
    public async Task S100_no_datagram_reaches_an_endpoint_that_was_removed()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready);
        // In a pod not a connected one: the agent ends those together with their endpoint.
        await using var streams = new StreamSet(
        [
            Node.P12.Stream("udp", service.ClusterIP(), 10, "--same-socket"),
            Node.Outside.Stream("udp", service.AtNodePort(), 10, "--connected", "--same-socket"),
        ]);
        await streams.FlowAsync();
        await service.PublishAsync();
        await LeftAsync(Node.P11);
        await using (var frames = await Node.Host.WatchAsync("p11", Node.P11.V4))
        {
            await streams.FlowAsync();
            Assert.DoesNotContain((await frames.StopAsync()).Keys, frame => frame.Contains(" udp ", StringComparison.Ordinal));
        }

        await service.PublishAsync(Node.P11.Ready);
        await streams.FlowAsync();
        foreach (var report in await streams.StopAsync())
        {
            Assert.Equal(["ECONNREFUSED"], report.Failures.Keys);
            Assert.Equal(["p11"], report.Buckets[^1].Backends.Keys);
        }
    }

    [PrivilegedFact]
    public async Task S101_datagrams_follow_the_target_port()
    {
        const int OtherPort = 9090;
        await using var other = await (Node.P11 with { Name = "other" }).ServeAsync([OtherPort]);
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready);
        (Client Client, Target Target)[] paths = [(Node.P12, service.ClusterIP()), (Node.Outside, service.AtNodePort())];
        await using var streams = new StreamSet(paths.Select(path => path.Client.Stream("udp", path.Target, 10, "--same-socket")));
        await streams.FlowAsync();
        await (service with { TargetPort = OtherPort }).PublishAsync(Node.P11.Ready);
        await LeftAsync(Node.P11, LiveService.TargetPort);
        await streams.FlowAsync();
        foreach (var report in await streams.StopAsync())
        {
            report.AssertAnsweredBy("other", "p11");
            Assert.Equal(["other"], report.Buckets[^1].Backends.Keys);
        }
    }

    [PrivilegedFact]
    public async Task S102_a_socket_that_sent_before_there_was_a_service_reaches_it()
    {
        var service = Node.NewService();
        (Client Client, Target Target)[] paths =
            [(Node.P12, service.ClusterIP()), (Node.Outside, service.AtNodePort()), (Node.Outside, service.LoadBalancer())];
        await using var streams = new StreamSet(
            paths.Select(path => path.Client.Stream("udp", path.Target, 10, "--same-socket", "--timeout", "100")));
        await streams.FlowAsync();
        await service.PublishAsync(Node.P11.Ready);
        await streams.FlowAsync();
        foreach (var report in await streams.StopAsync())
        {
            Assert.NotEqual(0, report.Failed);
            Assert.Equal(["p11"], report.Backends.Keys);
            Assert.Empty(report.Buckets[^1].Failures);
        }
    }

    [PrivilegedFact]
    public async Task S103_datagrams_stay_with_their_endpoint_when_the_agent_starts_again()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready, Node.P13.Ready, Node.P21.Ready);
        (Client Client, Target Target)[] paths =
            [(Node.P12, service.ClusterIP()), (Node.Outside, service.AtNodePort()), (Node.Distant, service.LoadBalancer())];
        await using var streams = new StreamSet(paths.Select(path => path.Client.Stream("udp", path.Target, 10, "--same-socket")));
        await streams.FlowAsync();
        await Node.Agent.KillAsync();
        await Node.Agent.StartAsync();
        await streams.FlowAsync();
        foreach (var report in await streams.StopAsync())
        {
            report.AssertNoneFailed();
            Assert.Single(report.Backends);
        }
    }

    [PrivilegedFact]
    public async Task S123_an_endpoint_may_flap()
    {
        var service = Node.NewService();
        Endpoint[] steady = [Node.P13.Ready, Node.P21.Ready];
        await service.PublishAsync([Node.P11.Ready, .. steady]);
        await using var streams = new StreamSet(
            [Node.P12.Stream("tcp", service.ClusterIP(), 5), Node.Outside.Stream("tcp", service.AtNodePort(), 5)]);
        await streams.FlowAsync();
        for (int flip = 0; flip < 20; flip++)
            await service.PublishAsync([flip % 2 == 0 ? Node.P11.NotReady : Node.P11.Ready, .. steady]);
        await streams.FlowAsync();
        foreach (var report in await streams.StopAsync())
            report.AssertAnsweredBy("p11", "p13", "p21");
        Assert.All(
            Node.Agent.ReadSnapshot().Services.Where(view => service.Owns(view.Name)), view => Assert.Equal(3, view.Cluster.Count));
    }

    [PrivilegedFact]
    public async Task S124_an_address_that_changes_hands_hears_nothing_of_its_former_service()
    {
        OuterService before = Node.NewService("sessionAffinity: ClientIP"), after = Node.NewService();
        await before.PublishAsync(Node.P11.Ready);
        await after.PublishAsync(Node.P13.Ready);
        await using var streams = new StreamSet(
        [
            Node.P12.Stream("udp", before.ClusterIP(), 10, "--same-socket"),
            Node.Outside.Stream("udp", before.AtNodePort(), 10, "--same-socket"),
            Node.P12.Stream("tcp", before.ClusterIP(), 10),
            Node.Outside.Stream("tcp", before.AtNodePort(), 10),
        ]);
        await streams.FlowAsync();
        await before.PublishAsync(Node.P21.Ready);
        await after.PublishAsync(Node.P11.Ready);
        await LeftAsync(Node.P11);
        await streams.FlowAsync();
        foreach (var report in await streams.StopAsync())
        {
            report.AssertAnsweredBy("p11", "p21");
            Assert.Equal(["p21"], report.Buckets[^1].Backends.Keys);
        }

        (await Node.Outside.UdpAsync(after.AtNodePort(), count: 10)).AssertAnsweredBy("p11");
    }

    [PrivilegedFact]
    public async Task S126_endpoints_are_replaced_one_by_one_without_a_failure()
    {
        var service = Node.NewService();
        Client[] pods = [Node.P11, Node.P13, Node.P21, Node.P22];
        await service.PublishAsync(pods[0].Ready, pods[1].Ready);
        await using var streams = new StreamSet(
            [Node.P12.Stream("tcp", service.ClusterIP(), 10), Node.Outside.Stream("tcp", service.AtNodePort(), 10)]);
        await streams.FlowAsync();
        for (int step = 0; step < 5 * pods.Length; step++)
        {
            Client leaving = pods[step % 4], staying = pods[(step + 1) % 4], coming = pods[(step + 2) % 4];
            await service.PublishAsync(leaving.Terminating, staying.Ready, coming.Ready);
            await streams.FlowAsync();
        }

        foreach (var report in await streams.StopAsync())
            report.AssertAnsweredBy("p11", "p13", "p21", "p22");
    }

    [PrivilegedFact]
    public async Task S127_all_endpoints_are_exchanged_at_once_without_a_failure()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready, Node.P13.Ready);
        await using var held = await Node.P12.HoldAsync(service.ClusterIP(), count: 5);
        await using var streams = new StreamSet(
            [Node.P12.Stream("tcp", service.ClusterIP(), 5), Node.Outside.Stream("tcp", service.AtNodePort(), 5)]);
        await streams.FlowAsync();
        await service.PublishAsync(Node.P11.Terminating, Node.P13.Terminating, Node.P21.Ready, Node.P22.Ready);
        await streams.FlowAsync();
        Assert.Equal(5, (await held.CheckAsync()).Backends.Values.Sum());
        foreach (var report in await streams.StopAsync())
        {
            report.AssertAnsweredBy("p11", "p13", "p21", "p22");
            Assert.Empty(report.Buckets[^1].Backends.Keys.Except(["p21", "p22"]));
        }
    }

    /// <summary>Until the sweep has ended the flows of datagrams whose endpoint is gone.</summary>
    private Task LeftAsync(Client pod, int port = LiveService.TargetPort) => Eventually.True(
        () => Node.Agent.ReadFlows(flow => flow.Protocol == Protocol.Udp && flow.ServiceName.Length == 0
            && flow.Backend.Port == port && flow.Backend.Address.ToString() is var address && (address == pod.V4 || address == pod.V6))
            .Count == 0,
        $"no flow of datagrams leads to what {pod.Name} was");
}
