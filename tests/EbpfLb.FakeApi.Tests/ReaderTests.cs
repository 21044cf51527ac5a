// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.FakeApi.Store;
using EbpfLb.Kubernetes.Api;
using EbpfLb.Kubernetes.Api.Wire;
using static EbpfLb.FakeApi.Builders.Objects;

namespace EbpfLb.FakeApi.Tests;

/// <summary>The agent's reader, which shares nothing with the server, sees what was put in.</summary>
public sealed class ReaderTests : IAsyncLifetime
{
    private FakeApiServer _server = null!;

    public async Task InitializeAsync()
    {
        _server = await FakeApiServer.StartAsync();
        _server.Store.Put(
            Service("default", "web").OfType("LoadBalancer").ClusterIP("10.96.0.1", "fd00::1").Port(80, "http", nodePort: 30080)
                .ExternalIP("192.0.2.9").SourceRange("203.0.113.0/24").ExternalPolicy("Local").HealthCheckNodePort(31000).Affinity(60)
                .Ingress("203.0.113.80").Uid("uid-1"));
        _server.Store.Put(Service("default", "headless").ClusterIP("None").Port(80));
        _server.Store.Put(
            Slice("default", "web-1", "web").Port(8080, "http").Port(null, null)
                .Endpoint("10.244.1.5", node: "node-a", zone: "zone-a", forZones: ["zone-a"], forNodes: ["node-a"])
                .Endpoint("10.244.1.6", ready: false, serving: null, terminating: true));
        _server.Store.Put(Node("node-a").Zone("zone-a").Address("192.0.2.1").PodCidr("10.244.1.0/24").Taint("x"));
        _server.Store.Put(ServiceCidr("kubernetes", "10.96.0.0/12", "fd00::/108"));
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Lists_are_read_whole(bool protobuf)
    {
        var service = Assert.Single(await ListAsync(ApiResource.Services, protobuf)).Service!;
        Assert.Equal(["10.96.0.1", "fd00::1"], service.Spec!.ClusterIPs);
        Assert.Equal(30080, Assert.Single(service.Spec.Ports!).NodePort);
        Assert.Equal(60, service.Spec.SessionAffinityTimeoutSeconds);
        Assert.Equal(31000, service.Spec.HealthCheckNodePort);
        Assert.Equal("203.0.113.80", Assert.Single(service.LoadBalancerIngress!).IP);
        var slice = Assert.Single(await ListAsync(ApiResource.EndpointSlices, protobuf)).Slice!;
        Assert.Equal([8080, null], slice.Ports!.Select(port => port.Port));
        Assert.Equal([true, false], slice.Endpoints!.Select(endpoint => endpoint.Ready));
        Assert.Equal([true, null], slice.Endpoints!.Select(endpoint => endpoint.Serving));
        Assert.Equal(["node-a"], slice.Endpoints![0].ForNodes);
        var node = Assert.Single(await ListAsync(ApiResource.Node("node-a"), protobuf)).Node!;
        Assert.Equal("10.244.1.0/24", node.PodCidr);
        Assert.Equal(["x"], node.TaintKeys);
        var cidr = Assert.Single(await ListAsync(ApiResource.ServiceCidrs, protobuf)).ServiceCidr!;
        Assert.Equal(["10.96.0.0/12", "fd00::/108"], cidr.Cidrs);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_watch_is_read_event_for_event(bool protobuf)
    {
        const string Query = "?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
        using var client = ApiClient.Of(_server, protobuf);
        using var response = await client.GetAsync(ApiResource.EndpointSlices.Path + Query);
        using var patience = new CancellationTokenSource(ApiClient.Patience);
        var events = WireReader.ReadWatchAsync(
            await response.Content.ReadAsStreamAsync(patience.Token), response.Content.Headers.ContentType?.ToString(),
            ApiResource.EndpointSlices, patience.Token);
        var seen = new List<string>();
        await foreach (var next in events)
        {
            seen.Add($"{next.Type} {next.Object?.Metadata?.Name}{(next.InitialEventsEnd ? "all" : "")}{next.Status?.Code}");
            if (next.InitialEventsEnd)
                _server.Store.Delete(ResourceType.EndpointSlices, "default", "web-1");
            if (next.Type == WatchEventType.Deleted)
                _server.Watches.Finish(ResourceType.EndpointSlices, Faults.WatchEnding.Error);
        }
        Assert.Equal(["Added web-1", "Bookmark all", "Deleted web-1", "Error 410"], seen);
    }

    private async Task<IReadOnlyList<ApiObject>> ListAsync(ApiResource resource, bool protobuf)
    {
        using var client = ApiClient.Of(_server, protobuf);
        string query = $"?labelSelector={Uri.EscapeDataString(resource.LabelSelector ?? "")}"
            + $"&fieldSelector={Uri.EscapeDataString(resource.FieldSelector ?? "")}";
        using var response = await client.GetAsync(resource.Path + query);
        var page = await WireReader.ReadListAsync(
            await response.Content.ReadAsStreamAsync(), response.Content.Headers.ContentType?.ToString(), resource, CancellationToken.None);
        Assert.Empty(page.Defects);
        Assert.Equal(_server.Store.ResourceVersion.ToString(), page.ResourceVersion);
        return page.Items;
    }
}
