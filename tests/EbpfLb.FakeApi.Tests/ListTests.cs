// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.FakeApi.Faults;
using EbpfLb.FakeApi.Store;
using static EbpfLb.FakeApi.Builders.Objects;

namespace EbpfLb.FakeApi.Tests;

public sealed class ListTests : IAsyncLifetime
{
    private FakeApiServer _server = null!;

    public async Task InitializeAsync()
    {
        _server = await FakeApiServer.StartAsync();
        _server.Store.Put(Service("default", "web").ClusterIP("10.96.0.1").Port(80).Label("app", "web").Label("tier", "front"));
        _server.Store.Put(Service("default", "db").ClusterIP("10.96.0.2").Port(5432).Label("app", "db"));
        _server.Store.Put(Service("other", "quiet").ClusterIP("None").Port(80).Label("service.kubernetes.io/service-proxy-name", "x"));
        _server.Store.Put(Node("node-a").Address("192.0.2.1"));
        _server.Store.Put(Node("node-b").Address("192.0.2.2"));
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Theory]
    [InlineData(true, "", "db web quiet")]
    [InlineData(false, "", "db web quiet")]
    [InlineData(true, "?labelSelector=!service.kubernetes.io/service-proxy-name", "db web")]
    [InlineData(false, "?labelSelector=%21service.kubernetes.io%2Fservice-proxy-name", "db web")]
    [InlineData(true, "?labelSelector=app%3Dweb", "web")]
    [InlineData(true, "?labelSelector=app%3D%3Dweb,tier", "web")]
    [InlineData(true, "?labelSelector=app!%3Dweb", "db quiet")]
    [InlineData(true, "?labelSelector=app+in+(web,db),!tier", "db")]
    [InlineData(true, "?labelSelector=app+notin+(web,db)", "quiet")]
    [InlineData(true, "?fieldSelector=spec.clusterIP!%3DNone", "db web")]
    [InlineData(false, "?fieldSelector=metadata.name%3Dweb", "web")]
    public async Task A_list_has_what_the_selectors_say(bool protobuf, string query, string expected)
    {
        using var client = ApiClient.Of(_server, protobuf);
        var list = await client.ReadAsync(ApiClient.Services + query);
        Assert.Equal(expected.Split(' '), ApiClient.NamesIn(list));
        Assert.Equal(_server.Store.ResourceVersion.ToString(), list["metadata"]!["resourceVersion"]!.ToString());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task One_node_is_listed_by_its_name(bool protobuf)
    {
        using var client = ApiClient.Of(_server, protobuf);
        var list = await client.ReadAsync("/api/v1/nodes?fieldSelector=metadata.name%3Dnode-b");
        Assert.Equal(["node-b"], ApiClient.NamesIn(list));
        Assert.Equal("192.0.2.2", list["items"]![0]!["status"]!["addresses"]![0]!["address"]!.ToString());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Pages_show_the_state_of_the_first_one(bool protobuf)
    {
        using var client = ApiClient.Of(_server, protobuf);
        var first = await client.ReadAsync(ApiClient.Services + "?limit=2");
        Assert.Equal(["db", "web"], ApiClient.NamesIn(first));
        Assert.Equal("1", first["metadata"]!["remainingItemCount"]!.ToString());
        _server.Store.Delete(ResourceType.Services, "other", "quiet");
        string token = first["metadata"]!["continue"]!.ToString();
        var second = await client.ReadAsync(ApiClient.Services + "?limit=2&continue=" + token);
        Assert.Equal(["quiet"], ApiClient.NamesIn(second));
        Assert.Null(second["metadata"]!["continue"]);
        Assert.Equal(first["metadata"]!["resourceVersion"]!.ToString(), second["metadata"]!["resourceVersion"]!.ToString());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task S162_a_token_that_expired_is_410_and_one_that_is_none_400(bool protobuf)
    {
        using var client = ApiClient.Of(_server, protobuf);
        string token = (await client.ReadAsync(ApiClient.Services + "?limit=1"))["metadata"]!["continue"]!.ToString();
        _server.ContinueTokens.Expire();
        using var expired = await client.GetAsync(ApiClient.Services + "?limit=1&continue=" + token);
        Assert.Equal((410, "Expired"), await StatusAsync(client, expired));
        using var wrong = await client.GetAsync(ApiClient.Services + "?limit=1&continue=abc");
        Assert.Equal((400, "BadRequest"), await StatusAsync(client, wrong));
    }

    [Theory]
    [InlineData("?labelSelector=a%3D%3D%3Db%3D(", 200)]
    [InlineData("?labelSelector=%3Db", 400)]
    [InlineData("?limit=many", 400)]
    [InlineData("?resourceVersion=abc", 400)]
    [InlineData("?resourceVersion=0", 200)]
    [InlineData("?resourceVersion=99999999", 504)]
    public async Task Parameters_are_checked(string query, int expected)
    {
        using var client = ApiClient.Of(_server, protobuf: true);
        using var response = await client.GetAsync(ApiClient.Services + query);
        Assert.Equal(expected, (int)response.StatusCode);
    }

    [Fact]
    public async Task Protobuf_that_is_refused_is_406_to_who_wants_nothing_else()
    {
        _server.Faults.Add(new FaultRule { RefuseProtobuf = true });
        using var client = ApiClient.Of(_server, protobuf: true);
        using var response = await client.GetAsync(ApiClient.Services);
        Assert.Equal(406, (int)response.StatusCode);
        using var json = ApiClient.Of(_server, protobuf: false);
        Assert.Equal(3, ApiClient.NamesIn(await json.ReadAsync(ApiClient.Services)).Length);
    }

    private static async Task<(int, string)> StatusAsync(ApiClient client, HttpResponseMessage response)
    {
        var status = await client.ReadAsync(response);
        Assert.Equal(((int)response.StatusCode).ToString(), status["code"]!.ToString());
        return ((int)response.StatusCode, status["reason"]!.ToString());
    }
}
