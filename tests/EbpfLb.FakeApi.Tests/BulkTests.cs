// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using EbpfLb.FakeApi.Bulk;
using EbpfLb.FakeApi.Store;
using Xunit.Abstractions;

namespace EbpfLb.FakeApi.Tests;

public sealed class BulkTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Slices_hold_a_hundred_endpoints_at_most_and_all_have_addresses_of_their_own(bool protobuf)
    {
        await using var server = await FakeApiServer.StartAsync();
        new BulkCluster(server.Store, services: 3, endpoints: 150).Load();
        using var client = ApiClient.Of(server, protobuf);
        var services = await client.ReadAsync(ApiClient.Services + "?fieldSelector=spec.clusterIP!%3DNone");
        Assert.Equal(["svc-00000", "svc-00001", "svc-00002"], ApiClient.NamesIn(services));
        var slices = (await client.ReadAsync(ApiClient.Slices))["items"]!.AsArray();
        Assert.Equal([100, 50, 100, 50, 100, 50], slices.Select(slice => slice!["endpoints"]!.AsArray().Count));
        var endpoints = slices.SelectMany(slice => slice!["endpoints"]!.AsArray());
        string[] addresses = [.. endpoints.Select(item => item!["addresses"]![0]!.ToString())];
        Assert.Equal(450, addresses.Distinct().Count());
        Assert.Equal(
            ["svc-00000", "svc-00000", "svc-00001", "svc-00001", "svc-00002", "svc-00002"],
            slices.Select(slice => slice!["metadata"]!["labels"]!["kubernetes.io/service-name"]!.ToString()));
    }

    [Fact]
    public async Task A_change_is_told_with_the_moment_it_was_sent()
    {
        await using var server = await FakeApiServer.StartAsync();
        var cluster = new BulkCluster(server.Store, services: 2, endpoints: 10);
        cluster.Load();
        using var client = ApiClient.Of(server, protobuf: true);
        using var watch = await client.WatchAsync($"{ApiClient.Slices}?watch=1&resourceVersion={server.Store.ResourceVersion}");
        var change = cluster.Change(1, ChangeKind.Ready);
        long written = await change.Event.Written.WaitAsync(ApiClient.Patience);
        Assert.InRange(written, change.Event.ChangedAt, Stopwatch.GetTimestamp());
        Assert.Equal($"MODIFIED svc-00001-0@{change.Event.ResourceVersion}", await watch.NextAsync());
        Assert.False(change.Ready);
        Assert.Equal("false", watch.Last["endpoints"]![0]!["conditions"]!["ready"]!.ToString());
        var moved = cluster.Change(1, ChangeKind.Address);
        await watch.NextAsync();
        Assert.Equal(moved.Address, watch.Last["endpoints"]![0]!["addresses"]![0]!.ToString());
        Assert.NotEqual(change.Address, moved.Address);
    }

    [Fact]
    public async Task Churn_writes_down_every_change_that_was_sent()
    {
        await using var server = await FakeApiServer.StartAsync();
        var cluster = new BulkCluster(server.Store, services: 5, endpoints: 3);
        cluster.Load();
        using var client = ApiClient.Of(server, protobuf: true);
        using var watch = await client.WatchAsync($"{ApiClient.Slices}?watch=1&resourceVersion={server.Store.ResourceVersion}");
        using var stopping = new CancellationTokenSource();
        await using var log = new StringWriter();
        var churn = new Churn(cluster, changesPerSecond: 500, log).RunAsync(stopping.Token);
        string[] told = await watch.NextAsync(40);
        await stopping.CancelAsync();
        await churn;
        string[] lines = log.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(Churn.LogHeader, lines[0]);
        Assert.True(lines.Length > 40, log.ToString());
        var written = lines.Select(line => string.Join('@', line.Split(',')[1..3])).ToHashSet();
        Assert.All(told, line => Assert.Contains(line.Split(' ')[1], written));
    }

    [Fact]
    public async Task All_slices_change_once_and_in_order()
    {
        await using var server = await FakeApiServer.StartAsync();
        var cluster = new BulkCluster(server.Store, services: 5, endpoints: 3);
        cluster.Load();
        using var client = ApiClient.Of(server, protobuf: true);
        using var watch = await client.WatchAsync($"{ApiClient.Slices}?watch=1&resourceVersion={server.Store.ResourceVersion}");
        var changes = await cluster.ChangeAllAsync(ChangeKind.Ready, TimeSpan.Zero, CancellationToken.None);
        Assert.Equal(
            Enumerable.Range(0, 5).Select(slice => $"MODIFIED svc-{slice:D5}-0@{changes[slice].Event.ResourceVersion}"),
            await watch.NextAsync(5));
        Assert.All(changes, change => Assert.False(change.Ready));
    }

    [Fact]
    public async Task A_hundred_thousand_endpoints_are_told_whole()
    {
        await using var server = await FakeApiServer.StartAsync();
        long start = Stopwatch.GetTimestamp();
        new BulkCluster(server.Store, services: 10_000, endpoints: 10).Load();
        output.WriteLine($"loaded in {Stopwatch.GetElapsedTime(start).TotalMilliseconds:F0} ms");
        using var http = new HttpClient { BaseAddress = server.Url };
        http.DefaultRequestHeaders.Accept.ParseAdd("application/vnd.kubernetes.protobuf");
        for (int time = 0; time < 2; time++)
        {
            start = Stopwatch.GetTimestamp();
            byte[] list = await http.GetByteArrayAsync(ApiClient.Slices);
            output.WriteLine($"listed {list.Length} bytes in {Stopwatch.GetElapsedTime(start).TotalMilliseconds:F0} ms");
        }
        using var client = ApiClient.Of(server, protobuf: true);
        for (int time = 0; time < 2; time++)
        {
            start = Stopwatch.GetTimestamp();
            using var watch = await client.WatchAsync(
                ApiClient.Slices + "?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true");
            await watch.SkipAsync(10_001);
            output.WriteLine($"watch-listed in {Stopwatch.GetElapsedTime(start).TotalMilliseconds:F0} ms");
        }
        Assert.Equal(10_000, server.Store.Snapshot(ResourceType.EndpointSlices).Items.Count);
    }
}
