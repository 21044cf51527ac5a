// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using EbpfLb.Live.Tests.Support;
using Xunit.Abstractions;

namespace EbpfLb.Live.Tests;

/// <summary>Connected UDP sockets whose backend goes. What they send meets no hook, so the agent has to end them.</summary>
public sealed class DeadSocketTests(OuterNode node, ITestOutputHelper output) : OuterTest(node), IClassFixture<OuterNode>
{
    private const string Aborted = "ECONNABORTED";
    private const string EndedLine = "connected UDP sockets whose backends are gone";

    [PrivilegedFact]
    public async Task S104_a_connected_socket_whose_backend_is_removed_is_ended_and_connects_to_another()
    {
        var service = Node.NewService();
        foreach (bool v6 in OuterNode.Families)
        {
            await service.PublishAsync(Node.P11.Ready);
            await using var ofPod = await Node.P12.HoldUdpAsync(service.ClusterIP(v6), count: 3);
            await using var ofHost = await Node.Host.HoldUdpAsync(service.ClusterIP(v6), count: 2);
            await using var stream = Node.P13.Stream("udp", service.ClusterIP(v6), intervalMs: 2, "--connected", "--same-socket");
            await stream.FlowAsync();

            await EndedAsync(() => service.PublishAsync(Node.P21.Ready), sockets: 6);
            (await ofPod.CheckAsync()).AssertAllFailedWith(Aborted);
            (await ofHost.CheckAsync()).AssertAllFailedWith(Aborted);
            await stream.FlowAsync();

            // One error, whether it met the process as it heard or as it spoke; and then nobody but the other backend.
            var report = await stream.StopAsync();
            Assert.Contains(Assert.Single(report.Failures).Key, new[] { Aborted, "EDESTADDRREQ" });
            Assert.Equal(1, report.Failed);
            string[] order = [.. report.Buckets.SelectMany(bucket => bucket.Backends.Keys.Order(StringComparer.Ordinal))];
            Assert.Equal(["p11", "p21"], order.Distinct());
            Assert.Equal(order.Order(StringComparer.Ordinal), order);
        }
    }

    [PrivilegedFact]
    public async Task S104_a_mapped_socket_and_one_to_a_NodePort_are_ended_too()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready);
        string address = service.ClusterIP().Address;
        await using var mapped = await Node.P12.HoldUdpAsync(address, OuterService.Port, 1, "--family", "mapped");
        await using var ofNodePort = await Node.Host.HoldUdpAsync(service.AtNodePort(OuterNode.FirstV4), 1);
        await EndedAsync(() => service.PublishAsync(Node.P21.Ready), sockets: 2);
        (await mapped.CheckAsync()).AssertAllFailedWith(Aborted);
        (await ofNodePort.CheckAsync()).AssertAllFailedWith(Aborted);
    }

    [PrivilegedFact]
    public async Task S104_sockets_of_other_services_and_of_nobody_stay()
    {
        OuterService changing = Node.NewService(), keeping = Node.NewService();
        await keeping.PublishAsync(Node.P11.Ready);
        foreach (bool v6 in OuterNode.Families)
        {
            // The same address and port, as a backend of another service and dialled as it is.
            await changing.PublishAsync(Node.P11.Ready, Node.P21.Ready);
            await using var kept = await Node.P12.HoldUdpAsync(keeping.ClusterIP(v6), count: 2);
            await using var direct = await Node.P12.HoldUdpAsync(
                v6 ? Node.P11.V6 : Node.P11.V4, LiveService.TargetPort, count: 2);
            await using var tcp = await Node.P12.HoldAsync(changing.ClusterIP(v6), count: 20);
            await changing.PublishAsync(Node.P11.Ready);
            await using var ended = await Node.P12.HoldUdpAsync(changing.ClusterIP(v6), count: 2);
            // Gets nobody new, and goes on serving who it has.
            await changing.PublishAsync(Node.P11.Terminating, Node.P21.Ready);
            (await ended.CheckAsync()).AssertHolds("p11");

            await EndedAsync(() => changing.PublishAsync(Node.P21.Ready), sockets: 2);
            (await ended.CheckAsync()).AssertAllFailedWith(Aborted);
            (await kept.CheckAsync()).AssertHolds("p11");
            (await direct.CheckAsync()).AssertHolds("p11");
            Assert.Empty((await tcp.CheckAsync()).Failures);
        }
    }

    [PrivilegedFact]
    public async Task S104_the_last_backend_and_the_service_itself_may_go()
    {
        var service = Node.NewService();
        foreach (bool v6 in OuterNode.Families)
        {
            await service.PublishAsync(Node.P11.Ready);
            await using var first = await Node.P12.HoldUdpAsync(service.ClusterIP(v6), count: 1);
            await EndedAsync(() => service.PublishAsync(), sockets: 1);
            (await first.CheckAsync()).AssertAllFailedWith(Aborted);
            (await Node.P12.UdpConnectedAsync(service.ClusterIP(v6))).AssertAllFailedWith("ECONNREFUSED");

            await service.PublishAsync(Node.P11.Ready);
            await using var second = await Node.P12.HoldUdpAsync(service.ClusterIP(v6), count: 1);
            await EndedAsync(service.DeleteAsync, sockets: 1);
            (await second.CheckAsync()).AssertAllFailedWith(Aborted);
        }
    }

    [PrivilegedFact]
    public async Task S104_sockets_whose_backend_went_while_no_agent_ran_are_ended_when_one_starts()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready);
        await using var held = await Node.P12.HoldUdpAsync(service.ClusterIP(), count: 2);
        await Node.Agent.TerminateAsync();
        Node.Manifests.Write($"{service.Name}.yaml", service.Text([Node.P21.Ready]));
        await Node.Agent.StartAsync();
        await Node.Agent.WaitForLogAsync("Ended 2 connected UDP sockets");
        (await held.CheckAsync()).AssertAllFailedWith(Aborted);
    }

    [PrivilegedFact]
    public async Task S104_without_CAP_SYS_ADMIN_the_sockets_of_pods_are_a_problem_and_those_of_the_node_are_ended()
    {
        await using var node = await OuterNode.PrepareAsync();
        await using var agent = new LiveAgent(
            node.Playground.BpfFs, node.Playground.Cgroup, new ManifestFiles(Path.Combine(node.Playground.Directory, "limited")))
        {
            NetworkNamespace = node.Host.NetworkNamespace,
            Under = ["setpriv", "--bounding-set=-all,+bpf,+net_admin,+perfmon", "--inh-caps=-all"],
        };
        var service = new OuterService(node, 1);
        void Publish(Endpoint endpoint) => agent.Manifests.Write("service.yaml", service.Text([endpoint]));
        Publish(node.P11.Ready);
        await agent.StartAsync();
        await using var ofHost = await node.Host.HoldUdpAsync(service.ClusterIP(), count: 2);
        await using (var ofPod = await node.P12.HoldUdpAsync(service.ClusterIP(), count: 3))
        await using (var ofOther = await node.P13.HoldUdpAsync(service.ClusterIP(), count: 1))
        {
            int from = agent.LineCount;
            await agent.SyncAsync(() => Publish(node.P21.Ready));
            await agent.WaitForLogAsync("Ended 2 connected UDP sockets", from);
            (await ofHost.CheckAsync()).AssertAllFailedWith(Aborted);
            const string Expected = "4 in 2 network namespaces still send to backends that are gone: "
                + "4 in namespaces that the agent may not enter (give it CAP_SYS_ADMIN)";
            await Eventually.True(() => agent.ReadStatus().Problems.Any(problem => problem.Message == Expected), "the problem");
            (await ofPod.CheckAsync()).AssertHolds("p11");
        }

        // Whoever goes takes the problem along.
        await agent.SyncAsync(() => Publish(node.P22.Ready));
        await Eventually.True(() => agent.ReadStatus().Problems.Count == 0, "no problem any more");
    }

    [PrivilegedFact]
    public async Task How_long_a_look_at_20000_sockets_takes()
    {
        const int Each = 5000;
        OuterService going = Node.NewService(), staying = Node.NewService();
        await going.PublishAsync(Node.P21.Ready);
        await staying.PublishAsync(Node.P21.Ready);
        await using var first = await Node.P12.HoldUdpAsync(staying.ClusterIP(), Each);
        await using var second = await Node.P13.HoldUdpAsync(staying.ClusterIP(), Each);
        await using var third = await Node.Host.HoldUdpAsync(staying.ClusterIP(), Each);
        await using var last = await Node.P12.HoldUdpAsync(going.ClusterIP(), 1);
        output.WriteLine(await EndedAsync(() => going.PublishAsync(Node.P22.Ready), sockets: 1));

        await using var fourth = await Node.P11.HoldUdpAsync(staying.ClusterIP(), Each);
        int from = Node.Agent.LineCount;
        await staying.PublishAsync(Node.P22.Ready);
        await Eventually.True(() => EndedSince(from) == 4 * Each, "the end of all of them");
        output.WriteLine(string.Join('\n', LinesSince(from).Where(line => line.Contains(EndedLine, StringComparison.Ordinal))));
        (await third.CheckAsync()).AssertAllFailedWith(Aborted);
    }

    private int EndedSince(int line) => LinesSince(line)
        .Where(text => text.Contains(EndedLine, StringComparison.Ordinal))
        .Sum(text => int.Parse(text.Split("Ended ")[1].Split(' ')[0], CultureInfo.InvariantCulture));

    private string[] LinesSince(int line) => Node.Agent.Log.Split('\n')[line..];

    // Just as many, no more.
    private async Task<string> EndedAsync(Func<Task> change, int sockets)
    {
        int from = Node.Agent.LineCount;
        await change();
        return await Node.Agent.WaitForLogAsync($"Ended {sockets} connected UDP sockets", from);
    }
}
