// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using EbpfLb.FakeApi.Faults;
using EbpfLb.FakeApi.Serving;
using EbpfLb.FakeApi.Store;
using static EbpfLb.FakeApi.Builders.Objects;

namespace EbpfLb.FakeApi.Tests;

public sealed class FaultTests : IAsyncLifetime
{
    private const string FromStart = ApiClient.Services + "?watch=1&allowWatchBookmarks=1&resourceVersion=100";

    private FakeApiServer _server = null!;

    public async Task InitializeAsync()
    {
        _server = await FakeApiServer.StartAsync();
        _server.Store.Put(Service("default", "a").ClusterIP("10.96.0.1").Port(80).Annotation("text", "größer"));
        _server.Store.Put(Service("default", "b").ClusterIP("10.96.0.2").Port(80));
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task S151_so_many_requests_fail_as_the_rule_says()
    {
        _server.Faults.Add(
            new FaultRule { Kind = RequestKind.List, Resource = "services", Times = 2, Status = 429, RetryAfterSeconds = 5 });
        using var client = ApiClient.Of(_server, protobuf: true);
        for (int time = 0; time < 2; time++)
        {
            using var refused = await client.GetAsync(ApiClient.Services);
            Assert.Equal(429, (int)refused.StatusCode);
            Assert.Equal(TimeSpan.FromSeconds(5), refused.Headers.RetryAfter!.Delta);
            Assert.Equal("5", (await client.ReadAsync(refused))["details"]!["retryAfterSeconds"]!.ToString());
        }
        Assert.Equal(["a", "b"], ApiClient.NamesIn(await client.ReadAsync(ApiClient.Services)));
        Assert.Equal([429, 429, 200], _server.Requests.All.Select(request => request.Status));
    }

    [Fact]
    public async Task A_body_takes_the_place_of_the_answer()
    {
        _server.Faults.Add(new FaultRule { Times = 1, Status = 503, Body = "<html>busy</html>" });
        using var client = ApiClient.Of(_server, protobuf: true);
        using var response = await client.GetAsync(ApiClient.Services);
        Assert.Equal(503, (int)response.StatusCode);
        Assert.Equal("text/html", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal("<html>busy</html>", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task S148_initial_events_can_be_refused_by_an_error_in_the_stream()
    {
        _server.Faults.Add(new FaultRule { Kind = RequestKind.WatchList, Ending = WatchEnding.Error, Status = 500 });
        using var client = ApiClient.Of(_server, protobuf: true);
        using var watch = await client.WatchAsync(ApiClient.Services + "?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
        Assert.Equal("ERROR 500 InternalError", await watch.NextAsync());
        Assert.Null(await watch.NextAsync());
        using var plain = await client.WatchAsync(FromStart);
        Assert.Equal("ADDED a@101", await plain.NextAsync());
    }

    [Theory]
    [InlineData(true, WatchEnding.Reset)]
    [InlineData(false, WatchEnding.Reset)]
    [InlineData(true, WatchEnding.ResetInFrame)]
    [InlineData(false, WatchEnding.ResetInFrame)]
    [InlineData(true, WatchEnding.EndInFrame)]
    [InlineData(false, WatchEnding.EndInFrame)]
    public async Task S149_a_watch_is_cut_after_an_event(bool protobuf, WatchEnding ending)
    {
        _server.Faults.Add(new FaultRule { Kind = RequestKind.Watch, Ending = ending, EndAfterEvents = 1 });
        using var client = ApiClient.Of(_server, protobuf);
        using var watch = await client.WatchAsync(FromStart);
        Assert.Equal("ADDED a@101", await watch.NextAsync());
        await Assert.ThrowsAnyAsync<IOException>(watch.NextAsync);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task S149_a_watch_ends_after_each_event_and_goes_on_from_there(bool protobuf)
    {
        _server.Faults.Add(new FaultRule { Kind = RequestKind.Watch, Ending = WatchEnding.End, EndAfterEvents = 1 });
        using var client = ApiClient.Of(_server, protobuf);
        using var first = await client.WatchAsync(FromStart);
        Assert.Equal(["ADDED a@101"], await first.NextAsync(9));
        using var second = await client.WatchAsync(ApiClient.Services + "?watch=1&resourceVersion=101");
        Assert.Equal(["ADDED b@102"], await second.NextAsync(9));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task S149_pieces_of_a_byte_and_empty_lines_carry_the_same_events(bool protobuf)
    {
        _server.Faults.Add(new FaultRule { Kind = RequestKind.Watch, ChunkSize = 1, EmptyLines = true });
        using var client = ApiClient.Of(_server, protobuf);
        using var watch = await client.WatchAsync(FromStart);
        Assert.Equal("ADDED a@101", await watch.NextAsync());
        Assert.Equal("größer", watch.Last["metadata"]!["annotations"]!["text"]!.ToString());
        Assert.Equal("ADDED b@102", await watch.NextAsync());
    }

    [Fact]
    public async Task S149_an_event_can_be_of_ten_megabytes()
    {
        _server.Faults.Add(new FaultRule { Kind = RequestKind.Watch, Padding = 10_000_000 });
        using var client = ApiClient.Of(_server, protobuf: true);
        using var watch = await client.WatchAsync(FromStart);
        Assert.Equal("ADDED a@101", await watch.NextAsync());
        Assert.Equal(10_000_000, watch.Last["metadata"]!["annotations"]!["padding"]!.ToString().Length);
    }

    [Fact]
    public async Task S152_events_come_twice_or_in_the_wrong_order()
    {
        _server.Faults.Add(new FaultRule { Kind = RequestKind.Watch, Times = 1, Copies = 2 });
        _server.Faults.Add(new FaultRule { Kind = RequestKind.Watch, Times = 1, Reorder = true });
        using var client = ApiClient.Of(_server, protobuf: true);
        using var twice = await client.WatchAsync(FromStart);
        Assert.Equal(["ADDED a@101", "ADDED a@101", "ADDED b@102", "ADDED b@102"], await twice.NextAsync(4));
        using var wrong = await client.WatchAsync(FromStart);
        Assert.Equal(["ADDED b@102", "ADDED a@101"], await wrong.NextAsync(2));
    }

    [Fact]
    public async Task S152_an_open_watch_sends_what_never_happened()
    {
        using var client = ApiClient.Of(_server, protobuf: true);
        using var watch = await client.WatchAsync(ApiClient.Services + "?watch=1&resourceVersion=102");
        using var patience = new CancellationTokenSource(ApiClient.Patience);
        await _server.Watches.WaitAsync(ResourceType.Services, 1, patience.Token);
        _server.Watches.Send(EventType.Deleted, Service("default", "never").Set("metadata.resourceVersion", "7"));
        Assert.Equal("DELETED never@7", await watch.NextAsync());
        _server.Watches.Finish(ResourceType.Services, WatchEnding.Error, ApiStatus.Expired("too old"));
        Assert.Equal("ERROR 410 Expired", await watch.NextAsync());
        Assert.Null(await watch.NextAsync());
    }

    [Fact]
    public async Task S150_a_watch_falls_silent_and_the_connection_stays()
    {
        using var client = ApiClient.Of(_server, protobuf: true);
        using var watch = await client.WatchAsync(FromStart);
        using var patience = new CancellationTokenSource(ApiClient.Patience);
        await _server.Watches.WaitAsync(ResourceType.Services, 1, patience.Token);
        _server.Watches.Finish(ResourceType.Services, WatchEnding.Silence);
        _server.Store.Put(Service("default", "c").ClusterIP("10.96.0.3").Port(80));
        Assert.Equal(2, (await watch.NextAsync(2)).Length);
        var next = watch.NextAsync();
        Assert.False(next.IsCompleted);
        await _server.StopAsync();
        await Assert.ThrowsAnyAsync<IOException>(() => next);
    }

    [Fact]
    public async Task S146_a_server_that_was_gone_is_back_at_the_same_place_with_the_same_objects()
    {
        var url = _server.Url;
        await _server.StopAsync();
        using var client = ApiClient.Of(_server, protobuf: true);
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(ApiClient.Services));
        await _server.ResumeAsync();
        Assert.Equal(url, _server.Url);
        Assert.Equal(["a", "b"], ApiClient.NamesIn(await client.ReadAsync(ApiClient.Services)));
    }

    [Fact]
    public async Task The_same_is_to_be_had_from_outside_the_process()
    {
        using var http = new HttpClient { BaseAddress = _server.Url };
        using var client = ApiClient.Of(_server, protobuf: true);
        await PostAsync(http, "/fake/faults", """{"resource": "services", "kind": "List", "times": 1, "status": 503}""");
        using var refused = await client.GetAsync(ApiClient.Services);
        Assert.Equal(503, (int)refused.StatusCode);
        using var watch = await client.WatchAsync(ApiClient.Services + "?watch=1&resourceVersion=102");
        using var patience = new CancellationTokenSource(ApiClient.Patience);
        await _server.Watches.WaitAsync(ResourceType.Services, 1, patience.Token);
        await PostAsync(
            http, "/fake/events",
            """{"resource": "services", "type": "deleted", "object": {"metadata": {"name": "x", "resourceVersion": "5"}}}""");
        Assert.Equal("DELETED x@5", await watch.NextAsync());
        await PostAsync(http, "/fake/watches", """{"resource": "services", "ending": "Error", "status": 500}""");
        Assert.Equal("ERROR 500 InternalError", await watch.NextAsync());
        var requests = await http.GetFromJsonAsync<JsonArray>("/fake/requests");
        Assert.Equal(["List", "Watch"], requests!.Select(request => request!["kind"]!.ToString()));
        using var wrong = await http.PostAsync("/fake/faults", new StringContent("""{"kind": "Nothing"}"""));
        Assert.Equal(400, (int)wrong.StatusCode);
    }

    private static async Task PostAsync(HttpClient http, string path, string json)
    {
        using var response = await http.PostAsync(path, new StringContent(json));
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    }
}
