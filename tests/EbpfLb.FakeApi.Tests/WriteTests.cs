// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json.Nodes;
using EbpfLb.FakeApi.Store;
using EbpfLb.FakeApi.Wire;
using static EbpfLb.FakeApi.Builders.Objects;

namespace EbpfLb.FakeApi.Tests;

public sealed class WriteTests : IAsyncLifetime
{
    private const string Collection = "/api/v1/namespaces/default/services";

    private FakeApiServer _server = null!;
    private ApiClient _client = null!;

    public async Task InitializeAsync()
    {
        _server = await FakeApiServer.StartAsync();
        _client = ApiClient.Of(_server, protobuf: false);
    }

    public async Task DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task An_object_is_created_replaced_patched_and_deleted()
    {
        string body = Service("default", "web").ClusterIP("10.96.0.1").Port(80).Build().ToJsonString();
        var created = await ReadAsync(HttpMethod.Post, Collection, body, 201);
        Assert.NotNull(created["metadata"]!["uid"]);
        Assert.Equal("Service", created["kind"]!.ToString());
        await StatusAsync(HttpMethod.Post, Collection, body, 409, "AlreadyExists");

        created["spec"]!["clusterIP"] = "10.96.0.2";
        var replaced = await ReadAsync(HttpMethod.Put, Collection + "/web", created.ToJsonString(), 200);
        Assert.Equal(created["metadata"]!["uid"]!.ToString(), replaced["metadata"]!["uid"]!.ToString());
        await StatusAsync(HttpMethod.Put, Collection + "/web", created.ToJsonString(), 409, "Conflict");

        const string Patch = """{"spec": {"ports": null, "type": "NodePort"}}""";
        var patched = await ReadAsync(HttpMethod.Patch, Collection + "/web", Patch, 200, "application/merge-patch+json");
        Assert.Equal("NodePort", patched["spec"]!["type"]!.ToString());
        Assert.Null(patched["spec"]!["ports"]);
        Assert.Equal("10.96.0.2", patched["spec"]!["clusterIP"]!.ToString());

        await ReadAsync(HttpMethod.Delete, Collection + "/web", null, 200);
        await StatusAsync(HttpMethod.Get, Collection + "/web", null, 404, "NotFound");
        await StatusAsync(HttpMethod.Delete, Collection + "/web", null, 404, "NotFound");
        await StatusAsync(HttpMethod.Put, Collection + "/web", """{"spec": {}}""", 404, "NotFound");
    }

    [Fact]
    public async Task An_applied_manifest_makes_the_object()
    {
        const string Manifest = "spec:\n  clusterIP: 10.96.0.9\n  ports:\n  - port: 80\n";
        var applied = await ReadAsync(
            HttpMethod.Patch, Collection + "/web?fieldManager=test", Manifest, 201, "application/apply-patch+yaml");
        Assert.Equal("80", applied["spec"]!["ports"]![0]!["port"]!.ToString());
        Assert.NotNull(_server.Store.Find(ResourceType.Services, "default", "web"));
    }

    [Fact]
    public async Task An_event_may_come_as_protobuf_and_has_a_name_made()
    {
        var sent = new JsonObject
        {
            ["metadata"] = new JsonObject { ["generateName"] = "node-a." },
            ["reason"] = "NotServed",
            ["eventTime"] = "2026-01-01T00:00:00.250000Z",
            ["regarding"] = new JsonObject { ["kind"] = "Service", ["name"] = "web" },
        };
        using var content = new ByteArrayContent(Envelope.Wrap("events.k8s.io/v1", "Event", ProtobufEncoder.Encode("events.Event", sent)));
        content.Headers.ContentType = new("application/vnd.kubernetes.protobuf");
        using var http = new HttpClient();
        using var response = await http.PostAsync(new Uri(_server.Url, "/apis/events.k8s.io/v1/namespaces/default/events"), content);
        Assert.Equal(201, (int)response.StatusCode);
        var stored = Assert.Single(_server.Store.Snapshot(ResourceType.NewEvents).Items.Values);
        Assert.StartsWith("node-a.", stored.Name, StringComparison.Ordinal);
        Assert.Equal("NotServed", stored.Json["reason"]!.ToString());
        Assert.Equal("2026-01-01T00:00:00.250000Z", stored.Json["eventTime"]!.ToString());
        Assert.Equal("web", stored.Json["regarding"]!["name"]!.ToString());
    }

    [Theory]
    [InlineData("/version", "gitVersion")]
    [InlineData("/api/v1", "resources")]
    [InlineData("/apis", "groups")]
    [InlineData("/apis/discovery.k8s.io", "preferredVersion")]
    [InlineData("/apis/discovery.k8s.io/v1", "resources")]
    public async Task The_server_tells_what_it_has(string path, string field) =>
        Assert.NotNull((await ReadAsync(HttpMethod.Get, path, null, 200))[field]);

    [Fact]
    public async Task What_it_has_not_is_404()
    {
        await StatusAsync(HttpMethod.Get, "/apis/apps/v1/spaceships", null, 404, "NotFound");
        await StatusAsync(HttpMethod.Post, Collection, "{", 400, "BadRequest");
    }

    private async Task<JsonObject> ReadAsync(
        HttpMethod method, string path, string? body, int status, string mediaType = "application/json")
    {
        using var response = await _client.SendAsync(method, path, body, mediaType);
        var json = await _client.ReadAsync(response);
        Assert.True(status == (int)response.StatusCode, json.ToJsonString());
        return json;
    }

    private async Task StatusAsync(HttpMethod method, string path, string? body, int status, string reason) =>
        Assert.Equal(reason, (await ReadAsync(method, path, body, status))["reason"]!.ToString());
}
