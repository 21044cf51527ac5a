// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Api;
using EbpfLb.Kubernetes.Api.Wire;

namespace EbpfLb.Kubernetes.Tests.Api.Wire;

/// <summary>Both encodings of one exchange are the same objects, and what a real API server wrote is what is read.</summary>
public sealed class RecordedExchangeTests
{
    [Theory]
    [InlineData("services-list", 7)]
    [InlineData("services-list-page1", 3)]
    [InlineData("services-list-page2", 3)]
    [InlineData("endpointslices-list", 5)]
    public async Task A_list_is_the_same_in_both_encodings(string name, int items)
    {
        var resource = Recordings.ResourceOf(name);
        var protobuf = await Wires.ReadList(Recordings.Read(name + ".pb"), Recordings.Protobuf, resource);
        var json = await Wires.ReadList(Recordings.Read(name + ".json"), Recordings.Json, resource);

        Assert.Equal(items, protobuf.Items.Count);
        Assert.Equal(Recordings.Describe(json), Recordings.Describe(protobuf));
        Assert.Empty(protobuf.Defects);
        Assert.Equal("230", protobuf.ResourceVersion);
    }

    /// <summary>The two were recorded one after the other: bookmarks differ, and the later one has seen more.</summary>
    [Theory]
    [InlineData("endpointslices-watch", 4)]
    [InlineData("watch-too-old", 12)]
    [InlineData("services-watchlist", 7)]
    public async Task A_watch_is_the_same_in_both_encodings(string name, int changes)
    {
        var resource = Recordings.ResourceOf(name);
        var protobuf = await Wires.ReadWatch(Recordings.Read(name + ".pb"), Recordings.ProtobufWatch, resource);
        var json = await Wires.ReadWatch(Recordings.Read(name + ".json"), Recordings.Json, resource);

        var told = protobuf.Where(item => item.Type != WatchEventType.Bookmark).ToList();
        Assert.Equal(changes, told.Count);
        Assert.Equal(Recordings.Describe(json.Take(changes)), Recordings.Describe(told));
        Assert.All(protobuf, item => Assert.Null(item.Defect));
        Assert.All(protobuf, item => Assert.NotNull(item.ResourceVersion));
    }

    [Fact]
    public async Task Bookmarks_along_the_way_carry_a_version_and_nothing_else()
    {
        var told = await Wires.ReadWatch(Recordings.Read("endpointslices-watch.pb"), Recordings.ProtobufWatch, ApiResource.EndpointSlices);

        Assert.Equal(
            new[] { "235", "235", "249" }.Select(version => new WatchEvent(WatchEventType.Bookmark) { ResourceVersion = version }),
            told.Where(item => item.Type == WatchEventType.Bookmark));
    }

    [Fact]
    public async Task A_node_is_the_same_in_both_encodings()
    {
        byte[] protobuf = Wires.Frame("ADDED", Recordings.Read("node-get.pb"));
        byte[] json = [.. """{"type":"ADDED","object":"""u8, .. Recordings.Read("node-get.json").AsSpan().TrimEnd((byte)'\n'), .. "}\n"u8];

        var fromProtobuf = Assert.Single(await Wires.ReadWatch(protobuf, Recordings.ProtobufWatch, ApiResource.Node("node-a")));
        var fromJson = Assert.Single(await Wires.ReadWatch(json, Recordings.Json, ApiResource.Node("node-a")));

        Assert.Equal(Recordings.Describe(fromJson), Recordings.Describe(fromProtobuf));
        var node = fromProtobuf.Object!.Node!;
        Assert.Equal("10.244.1.0/24", node.PodCidr);
        Assert.Equal(["10.244.1.0/24", "fd00:10:244:1::/64"], node.PodCidrs);
        Assert.Equal(["node.kubernetes.io/not-ready"], node.TaintKeys);
        Assert.Equal(["InternalIP 192.168.50.1", "InternalIP fd00:50::1", "Hostname node-a"],
            node.Addresses!.Select(address => $"{address.Type} {address.Address}"));
        Assert.Equal("zone-a", node.Metadata!.Labels!["topology.kubernetes.io/zone"]);
    }

    [Fact]
    public async Task A_page_says_where_the_next_one_begins_and_a_whole_list_does_not()
    {
        var first = await Wires.ReadList(Recordings.Read("services-list-page1.pb"), Recordings.Protobuf, ApiResource.Services);
        var second = await Wires.ReadList(Recordings.Read("services-list-page2.pb"), Recordings.Protobuf, ApiResource.Services);
        var whole = await Wires.ReadList(Recordings.Read("services-list.pb"), Recordings.Protobuf, ApiResource.Services);

        Assert.StartsWith("eyJ2IjoibWV0YS5rOHMuaW8vdjEi", first.Continue);
        Assert.NotEqual(first.Continue, second.Continue);
        Assert.Null(whole.Continue);
        Assert.Equal(Recordings.Describe(whole.Items.Take(6)), Recordings.Describe(first.Items.Concat(second.Items)));
    }

    [Theory]
    [InlineData("services-watchlist.pb", Recordings.ProtobufWatch, "254")]
    [InlineData("services-watchlist.json", Recordings.Json, "256")]
    public async Task A_watch_list_ends_with_the_bookmark_that_says_that_all_is_told(string name, string contentType, string version)
    {
        var told = await Wires.ReadWatch(Recordings.Read(name), contentType, ApiResource.Services);

        Assert.All(told.SkipLast(1), item => Assert.Equal(WatchEventType.Added, item.Type));
        var end = told[^1];
        Assert.Equal(new WatchEvent(WatchEventType.Bookmark) { ResourceVersion = version, InitialEventsEnd = true }, end);
    }

    [Fact]
    public async Task What_was_not_set_is_null_and_what_was_set_is_there()
    {
        var page = await Wires.ReadList(Recordings.Read("endpointslices-list.pb"), Recordings.Protobuf, ApiResource.EndpointSlices);
        var slices = page.Items.Select(item => item.Slice!).ToDictionary(slice => slice.Metadata!.Name!);

        var unset = Assert.Single(slices["node-1"].Endpoints!);
        Assert.Equal((null, null, null), (unset.Ready, unset.Serving, unset.Terminating));
        Assert.Null(unset.NodeName);
        Assert.Null(unset.ForZones);
        var hinted = slices["web-1"].Endpoints![0];
        Assert.Equal(["zone-a"], hinted.ForZones);
        Assert.Equal(["node-a"], hinted.ForNodes);
        Assert.Equal((true, true, false), (hinted.Ready, hinted.Serving, hinted.Terminating));
        var going = slices["web-1"].Endpoints![2];
        Assert.Equal((false, true, true), (going.Ready, going.Serving, going.Terminating));
        Assert.Equal(["http TCP 8080", "dns UDP 5353", "sctp SCTP 9999"],
            slices["dual-4"].Ports!.Select(port => $"{port.Name} {port.Protocol} {port.Port}"));
        Assert.Equal(new DateTimeOffset(2026, 11, 20, 23, 23, 41, TimeSpan.Zero), slices["web-1"].Metadata!.CreationTimestamp);
        Assert.Null(slices["web-1"].Metadata!.DeletionTimestamp);
    }

    [Fact]
    public async Task A_slice_without_endpoints_and_ports_is_one()
    {
        var told = await Wires.ReadWatch(Recordings.Read("endpointslices-watch.pb"), Recordings.ProtobufWatch, ApiResource.EndpointSlices);

        var slice = told[0].Object!.Slice!;
        Assert.Equal("web-whnz4", slice.Metadata!.Name);
        Assert.Null(slice.Endpoints);
        Assert.Null(slice.Ports);
        Assert.Equal("2026-11-20T23:23:41Z", slice.Metadata.Annotations!["endpoints.kubernetes.io/last-change-trigger-time"]);
    }

    [Theory]
    [InlineData("list-bad-continue", 400, "BadRequest", "invalid continue token")]
    [InlineData("status-404", 404, "NotFound", "services \"nope\" not found")]
    public async Task A_status_is_the_same_in_both_encodings(string name, int code, string reason, string message)
    {
        var protobuf = await Wires.ReadStatus(Recordings.Read(name + ".pb"), Recordings.Protobuf, code);
        var json = await Wires.ReadStatus(Recordings.Read(name + ".json"), Recordings.Json, code);

        Assert.Equal(json, protobuf);
        Assert.Equal((code, reason), (protobuf.Code, protobuf.Reason));
        Assert.StartsWith(message, protobuf.Message);
        Assert.Null(protobuf.RetryAfterSeconds);
    }

    [Fact]
    public async Task A_refused_token_is_a_status() => Assert.Equal(
        new ApiStatus(401, "Unauthorized", "Unauthorized"),
        await Wires.ReadStatus(Recordings.Read("status-401.pb"), Recordings.Protobuf, 401));

    [Fact]
    public async Task Either_encoding_is_told_by_the_content_type_alone()
    {
        byte[] body = Recordings.Read("services-list.json");

        await Assert.ThrowsAsync<WireException>(() => Wires.ReadList(body, Recordings.Protobuf, ApiResource.Services));
        var error = await Assert.ThrowsAsync<WireException>(() => Wires.ReadList(body, "text/html; charset=utf-8", ApiResource.Services));
        Assert.Contains("text/html", error.Message);
        await Assert.ThrowsAsync<WireException>(() => Wires.ReadList(body, null, ApiResource.Services));
        Assert.Equal(7, (await Wires.ReadList(body, "Application/JSON ; charset=utf-8", ApiResource.Services)).Items.Count);
    }

    [Theory]
    [InlineData("endpointslices-list", "EndpointSliceList")]
    [InlineData("status-404", "Status")]
    public async Task A_list_of_something_else_is_refused_by_its_name(string name, string kind)
    {
        foreach (var (ending, contentType) in new[] { (".pb", Recordings.Protobuf), (".json", Recordings.Json) })
        {
            var error = await Assert.ThrowsAsync<WireException>(
                () => Wires.ReadList(Recordings.Read(name + ending), contentType, ApiResource.Services));
            Assert.Contains($"'{kind}'", error.Message);
            Assert.Contains("ServiceList", error.Message);
        }
    }
}
