// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.FakeApi.Store;
using static EbpfLb.FakeApi.Builders.Objects;

namespace EbpfLb.FakeApi.Tests;

public sealed class WatchTests : IAsyncLifetime
{
    private FakeApiServer _server = null!;

    public async Task InitializeAsync()
    {
        _server = await FakeApiServer.StartAsync(new FakeApiOptions { HistoryLimit = 4 });
        Put("a", "10.96.0.1");
        Put("b", "10.96.0.2");
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_watch_goes_on_from_a_version(bool protobuf)
    {
        using var client = ApiClient.Of(_server, protobuf);
        using var watch = await client.WatchAsync($"{ApiClient.Services}?watch=1&resourceVersion={_server.Store.ResourceVersion}");
        long added = Put("c", "10.96.0.3");
        long modified = Put("a", "10.96.0.9");
        long deleted = _server.Store.Delete(ResourceType.Services, "default", "b")!.ResourceVersion;
        Assert.Equal([$"ADDED c@{added}", $"MODIFIED a@{modified}", $"DELETED b@{deleted}"], await watch.NextAsync(3));
        Assert.Equal("10.96.0.2", watch.Last["spec"]!["clusterIP"]!.ToString());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_watch_without_a_version_begins_with_what_exists(bool protobuf)
    {
        using var client = ApiClient.Of(_server, protobuf);
        using var watch = await client.WatchAsync(ApiClient.Services + "?watch=true");
        Assert.Equal(["ADDED a@101", "ADDED b@102"], await watch.NextAsync(2));
        Put("c", "10.96.0.3");
        Assert.Equal("ADDED c@103", await watch.NextAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Initial_events_end_with_a_bookmark(bool protobuf)
    {
        using var client = ApiClient.Of(_server, protobuf);
        using var watch = await client.WatchAsync(
            ApiClient.Services + "?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true");
        Assert.Equal(["ADDED a@101", "ADDED b@102", "BOOKMARK @102"], await watch.NextAsync(3));
        Assert.Equal("true", watch.Last["metadata"]!["annotations"]!["k8s.io/initial-events-end"]!.ToString());
        Put("c", "10.96.0.3");
        Assert.Equal("ADDED c@103", await watch.NextAsync());
    }

    [Fact]
    public async Task Initial_events_without_a_match_are_422()
    {
        using var client = ApiClient.Of(_server, protobuf: true);
        using var response = await client.GetAsync(ApiClient.Services + "?watch=1&sendInitialEvents=true");
        Assert.Equal(422, (int)response.StatusCode);
        Assert.Equal("Invalid", (await client.ReadAsync(response))["reason"]!.ToString());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_object_that_the_selector_begins_or_ceases_to_fit_is_added_or_deleted(bool protobuf)
    {
        using var client = ApiClient.Of(_server, protobuf);
        using var watch = await client.WatchAsync(
            $"{ApiClient.Services}?watch=1&resourceVersion={_server.Store.ResourceVersion}&fieldSelector=spec.clusterIP!%3DNone");
        long gone = Put("a", "None");
        long unseen = Put("a", "None");
        long back = Put("a", "10.96.0.7");
        Assert.Equal([$"DELETED a@{gone}", $"ADDED a@{back}"], await watch.NextAsync(2));
        Assert.True(unseen > gone);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task S147_a_version_beyond_the_history_is_an_error_in_the_stream(bool protobuf)
    {
        using var client = ApiClient.Of(_server, protobuf);
        for (int index = 0; index < 20; index++)
            Put("a", $"10.96.1.{index}");
        using var watch = await client.WatchAsync(ApiClient.Services + "?watch=1&resourceVersion=101");
        Assert.Equal("ERROR 410 Expired", await watch.NextAsync());
        Assert.Null(await watch.NextAsync());
        using var recent = await client.WatchAsync($"{ApiClient.Services}?watch=1&resourceVersion={_server.Store.ResourceVersion - 2}");
        Assert.Equal(2, (await recent.NextAsync(2)).Length);
    }

    [Fact]
    public async Task A_compaction_forgets_the_history_but_cuts_no_watch_that_runs()
    {
        using var client = ApiClient.Of(_server, protobuf: true);
        long before = _server.Store.ResourceVersion;
        using var running = await client.WatchAsync($"{ApiClient.Services}?watch=1&resourceVersion={before}");
        using var patience = new CancellationTokenSource(ApiClient.Patience);
        await _server.Watches.WaitAsync(ResourceType.Services, 1, patience.Token);
        _server.Store.Compact();
        using var late = await client.WatchAsync($"{ApiClient.Services}?watch=1&resourceVersion={before}");
        Assert.Equal("ERROR 410 Expired", await late.NextAsync());
        long added = Put("c", "10.96.0.3");
        Assert.Equal($"ADDED c@{added}", await running.NextAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_watch_ends_after_its_time_with_a_bookmark(bool protobuf)
    {
        using var client = ApiClient.Of(_server, protobuf);
        using var watch = await client.WatchAsync(
            ApiClient.Services + "?watch=1&resourceVersion=102&timeoutSeconds=1&allowWatchBookmarks=true");
        Assert.Equal("BOOKMARK @102", await watch.NextAsync());
        Assert.Null(await watch.NextAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_bookmark_tells_of_versions_of_other_resources(bool protobuf)
    {
        using var client = ApiClient.Of(_server, protobuf);
        using var watch = await client.WatchAsync(ApiClient.Slices + "?watch=1&resourceVersion=102&allowWatchBookmarks=true");
        using var patience = new CancellationTokenSource(ApiClient.Patience);
        await _server.Watches.WaitAsync(ResourceType.EndpointSlices, 1, patience.Token);
        long version = Put("c", "10.96.0.3");
        _server.Watches.SendBookmark(ResourceType.EndpointSlices);
        Assert.Equal($"BOOKMARK @{version}", await watch.NextAsync());
    }

    private long Put(string name, string clusterIP) =>
        _server.Store.Put(Service("default", name).ClusterIP(clusterIP).Port(80)).ResourceVersion;
}
