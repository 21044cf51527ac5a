// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using System.Net.Sockets;
using EbpfLb.FakeApi.Builders;
using EbpfLb.FakeApi.Store;
using EbpfLb.Linux.Processes;
using EbpfLb.Live.Tests.Support;
using static EbpfLb.FakeApi.Builders.Objects;

namespace EbpfLb.Live.Tests;

/// <summary>What hangs on the agent's own Node: health, zones, and what load balancers are told.</summary>
public sealed class ApiNodeTests(ApiNode node) : ApiTest(node), IClassFixture<ApiNode>
{
    [PrivilegedFact]
    public async Task S30_a_load_balancer_hears_how_many_endpoints_this_node_has()
    {
        var service = Node.NewApiService();
        int port = service.NodePort + 1000;
        var local = LoadBalancer(service, port).ExternalPolicy("Local");
        Node.Store.Put(local);
        Node.Store.Put(service.SliceOf(Node.P11, Node.P21));
        await service.ServedByAsync(Node.P11, Node.P21);
        await AnsweredAsync(port, 200, "1");
        var answer = (await Node.GetAsync(port, "/anything"))!;
        Assert.Equal("live", answer.Json["service"]!["namespace"]!.GetValue<string>());
        Assert.Equal(service.Name, answer.Json["service"]!["name"]!.GetValue<string>());
        Assert.Equal(1, answer.Json["localEndpoints"]!.GetValue<int>());
        Assert.True(answer.Json["serviceProxyHealthy"]!.GetValue<bool>());

        // As on the node that has none, and where those that are left terminate.
        Node.Store.Put(service.SliceOf(Node.P21));
        await AnsweredAsync(port, 503, "0");
        Node.Store.Put(service.SliceOf([Node.P11.Terminating, Node.P21.Terminating]));
        await AnsweredAsync(port, 503, "0");
        Node.Store.Put(service.SliceOf(Node.P11, Node.P12));
        await AnsweredAsync(port, 200, "2");

        Node.Store.Put(LoadBalancer(service, port).ExternalPolicy("Cluster"));
        await ClosedAsync(port);
    }

    [PrivilegedFact]
    public async Task S30_a_port_that_is_taken_is_told_and_tried_again()
    {
        ApiService service = Node.NewApiService(), other = Node.NewApiService();
        int port = service.NodePort + 1000, otherPort = other.NodePort + 1000;
        using var host = NetworkNamespace.Open(Node.Host.NetworkNamespace);
        using (var taken = host.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)))
        {
            taken.Bind(new IPEndPoint(IPAddress.Any, port));
            taken.Listen();
            Node.Store.Put(LoadBalancer(service, port).ExternalPolicy("Local"));
            Node.Store.Put(service.SliceOf(Node.P11));
            await Node.EventAsync("FailedToStartServiceHealthcheck", service.Name);
            await Node.ProblemAsync(service.FullName, $"{port}");
            await service.ServedByAsync(Node.P11);
            Node.Store.Put(LoadBalancer(other, otherPort).ExternalPolicy("Local"));
            Node.Store.Put(other.SliceOf(Node.P13));
            await AnsweredAsync(otherPort, 200, "1");
        }

        await AnsweredAsync(port, 200, "1");
        await Eventually.True(
            () => !Node.Agent.ReadStatus().Problems.Any(problem => problem.Object.Contains(service.FullName, StringComparison.Ordinal)),
            "the problem is over");
    }

    [PrivilegedFact]
    public async Task S31_healthz_asks_for_the_node_and_livez_does_not()
    {
        await Node.HealthzIsAsync(200);
        var good = (await Node.GetAsync(10256, "/healthz"))!.Json;
        foreach (string field in new[] { "lastUpdated", "currentTime", "nodeEligible", "healthy" })
            Assert.NotNull(good[field]);
        Action[] faults =
        [
            () => Node.Store.Put(ApiNode.HomeNode.Taint("ToBeDeletedByClusterAutoscaler")),
            () => Node.Store.Put(ApiNode.HomeNode.Deleting("2026-01-01T00:00:00Z")),
            () => Node.Store.Delete(ResourceType.Nodes, "", ApiNode.Name),
        ];
        foreach (var fault in faults)
        {
            fault();
            await Node.HealthzIsAsync(503);
            Assert.False((await Node.GetAsync(10256, "/healthz"))!.Json["nodeEligible"]!.GetValue<bool>());
            Assert.Equal(200, (await Node.GetAsync(10256, "/livez"))!.Status);
            Node.Store.Put(ApiNode.HomeNode);
            await Node.HealthzIsAsync(200);
        }

        // Another taint, and another node, are none of its business.
        Node.Store.Put(ApiNode.HomeNode.Taint("node.kubernetes.io/unschedulable"));
        Node.Store.Put(Node("n2").Taint("ToBeDeletedByClusterAutoscaler"));
        await Node.SettleAsync();
        Assert.Equal(200, await Node.HealthzAsync());
    }

    [PrivilegedTheory]
    [InlineData("PreferClose")]
    [InlineData("PreferSameZone")]
    [InlineData("PreferSameNode")]
    public async Task S33_traffic_stays_close_and_falls_back(string distribution)
    {
        var service = Node.NewApiService();
        Node.Store.Put(service.Object.Set("spec.trafficDistribution", distribution));
        bool byNode = distribution == "PreferSameNode";
        Node.Store.Put(Hinted(ready: true));
        string[] close = byNode ? ["p11"] : ["p11", "p21"];
        await service.ServedByAsync(close.Select(name => Node.Playground[name]));
        (await Node.P12.TcpAsync(service.ClusterIP, count: 30)).AssertAnsweredBy(close);
        (await Node.Host.TcpAsync(service.ClusterIP, count: 30)).AssertAnsweredBy(close);

        Node.Store.Put(Hinted(ready: false));
        string[] far = byNode ? ["p21", "p22"] : ["p13", "p22"];
        await service.ServedByAsync(far.Select(name => Node.Playground[name]));
        (await Node.P12.TcpAsync(service.ClusterIP, count: 30)).AssertAnsweredBy(far);

        Node.Store.Put(Hinted(ready: true));
        await service.ServedByAsync(close.Select(name => Node.Playground[name]));

        SliceBuilder Hinted(bool ready) => byNode
            ? service.EmptySlice
                .Endpoint(Node.P11.V4, ready, ready, node: "n1", forNodes: ["n1"])
                .Endpoint(Node.P21.V4, node: "n2", forNodes: ["n2"])
                .Endpoint(Node.P22.V4, node: "n3", forNodes: ["n3"])
            : service.EmptySlice
                .Endpoint(Node.P11.V4, ready, ready, node: "n1", zone: "z1", forZones: ["z1"])
                .Endpoint(Node.P21.V4, ready, ready, node: "n2", zone: "z1", forZones: ["z1"])
                .Endpoint(Node.P13.V4, node: "n3", zone: "z2", forZones: ["z2"])
                .Endpoint(Node.P22.V4, node: "n4", zone: "z3", forZones: ["z3"]);
    }

    [PrivilegedFact]
    public async Task S161_a_node_that_is_missing_comes_changes_and_goes_is_followed()
    {
        var service = Node.NewApiService();
        Node.Store.Put(service.ObjectWithNodePort);
        Node.Store.Put(service.EmptySlice
            .Endpoint(Node.P11.V4, node: "n1", zone: "z1", forZones: ["z1"])
            .Endpoint(Node.P21.V4, node: "n2", zone: "z2", forZones: ["z2"]));
        await service.ServedByAsync(Node.P11);

        // Missing at the start: served, from everywhere.
        await Node.Agent.KillAsync();
        Node.Store.Delete(ResourceType.Nodes, "", ApiNode.Name);
        await Node.Agent.StartAsync();
        await service.ServedByAsync(Node.P11, Node.P21);
        await AnsweredByAsync("p11", "p21");
        Assert.Equal(503, await Node.HealthzAsync());

        (NodeBuilder Object, string[] Expected)[] steps =
        [
            (Bare.Zone("z1"), ["p11"]),
            (Bare.Zone("z2"), ["p21"]),
            (Bare, ["p11", "p21"]),
            (Bare.Zone("z1").Address(OuterNode.FirstV4), ["p11"]),
            // Of both families, with none of the pods' networks; then another address.
            (Bare.Zone("z2").Address(OuterNode.FirstV4).Address(OuterNode.FirstV6).Set("spec.podCIDR", ""), ["p21"]),
            (Bare.Zone("z1").Address("10.10.0.77"), ["p11"]),
        ];
        foreach (var (changed, expected) in steps)
        {
            Node.Store.Put(changed);
            await service.ServedByAsync(expected.Select(name => Node.Playground[name]));
            await AnsweredByAsync(expected);
            await Node.HealthzIsAsync(200);
        }

        Node.Store.Delete(ResourceType.Nodes, "", ApiNode.Name);
        await service.ServedByAsync(Node.P11, Node.P21);
        await AnsweredByAsync("p11", "p21");
        await Node.HealthzIsAsync(503);

        async Task AnsweredByAsync(params string[] names)
        {
            (await Node.P12.TcpAsync(service.ClusterIP, count: 20)).AssertAnsweredBy(names);
            (await Node.Outside.TcpAsync(service.AtNodePort, count: 20)).AssertAnsweredBy(names);
        }
    }

    private static NodeBuilder Bare => Node(ApiNode.Name);

    private static ServiceBuilder LoadBalancer(ApiService service, int port) =>
        Service("live", service.Name).ClusterIP(service.Address).OfType("LoadBalancer")
            .Port(ApiService.Port, nodePort: service.NodePort).HealthCheckNodePort(port);

    private async Task AnsweredAsync(int port, int status, string weight)
    {
        var deadline = Eventually.Timeout();
        while (await Node.GetAsync(port, "/") is var answer && (answer is null || answer.Status != status
            || answer.Headers["X-Load-Balancing-Endpoint-Weight"] != weight))
        {
            Assert.False(deadline.IsCancellationRequested, $"port {port} answers {answer}, not {status} with weight {weight}");
            await Task.Delay(20);
        }
    }

    private async Task ClosedAsync(int port)
    {
        var deadline = Eventually.Timeout();
        while (await Node.GetAsync(port, "/") is { } answer)
        {
            Assert.False(deadline.IsCancellationRequested, $"port {port} answers {answer}");
            await Task.Delay(20);
        }
    }
}
