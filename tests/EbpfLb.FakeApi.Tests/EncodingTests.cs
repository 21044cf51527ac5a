// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json.Nodes;
using EbpfLb.FakeApi.Serving;
using EbpfLb.FakeApi.Store;
using EbpfLb.FakeApi.Wire;

namespace EbpfLb.FakeApi.Tests;

/// <summary>The bytes are those of a real server, made from the JSON that it sent for the same thing.</summary>
public sealed class EncodingTests
{
    private static readonly Dictionary<string, ResourceType> Types = new()
    {
        ["services"] = ResourceType.Services,
        ["endpointslices"] = ResourceType.EndpointSlices,
    };

    [Theory]
    [InlineData("services-list")]
    [InlineData("services-list-page1")]
    [InlineData("services-list-page2")]
    [InlineData("endpointslices-list")]
    public void A_list_is_byte_for_byte_that_of_a_real_server(string recording)
    {
        var json = Recordings.Json(recording + ".json");
        var type = Types[recording.Split('-')[0]];
        byte[][] items = [.. json["items"]!.AsArray().Select(item => Stored(type, item!).Message)];
        byte[] metadata = ProtobufEncoder.Encode("ListMeta", json["metadata"]);
        byte[] list = [.. Field(1, metadata), .. items.SelectMany(item => Field(2, item))];
        Assert.Equal(Recordings.Bytes(recording + ".pb"), Envelope.Wrap(type.ApiVersion, type.ListKind, list));
    }

    [Theory]
    [InlineData("services-watchlist", 1)]
    [InlineData("watch-too-old", 0)]
    public void A_watch_is_byte_for_byte_that_of_a_real_server(string recording, int bookmarks)
    {
        var type = recording.StartsWith("services", StringComparison.Ordinal) ? ResourceType.Services : ResourceType.EndpointSlices;
        var frames = new WatchFrames(protobuf: true);
        byte[] stream =
        [
            .. Recordings.Lines(recording + ".json").SkipLast(bookmarks).SelectMany(line =>
                frames.Of(Enum.Parse<EventType>(line["type"]!.ToString(), ignoreCase: true), Stored(type, line["object"]!))),
        ];
        Assert.Equal(Recordings.Bytes(recording + ".pb")[..stream.Length], stream);
    }

    [Theory]
    [InlineData("services-watchlist.pb")]
    [InlineData("endpointslices-watch.pb")]
    [InlineData("watch-too-old.pb")]
    public async Task Frames_of_a_real_server_are_read_and_written_again_without_a_difference(string recording)
    {
        byte[] recorded = Recordings.Bytes(recording);
        var type = recording.StartsWith("services", StringComparison.Ordinal) ? ResourceType.Services : ResourceType.EndpointSlices;
        using var response = new HttpResponseMessage();
        using var reader = new ApiClient.WatchReader(response, new MemoryStream(recorded), protobuf: true);
        var frames = new WatchFrames(protobuf: true);
        var written = new List<byte>();
        while (await reader.NextAsync() is { } next)
            written.AddRange(frames.Of(Enum.Parse<EventType>(next.Split(' ')[0], ignoreCase: true), Stored(type, reader.Last)));
        Assert.Equal(recorded, written.ToArray());
    }

    // The two encodings were recorded one after the other: the version differs, its length does not.
    [Fact]
    public void A_bookmark_is_that_of_a_real_server_in_both_encodings()
    {
        var line = Recordings.Lines("services-watchlist.json")[^1];
        byte[] recorded = Recordings.Bytes("services-watchlist.pb");
        byte[] frame = new WatchFrames(protobuf: true).Bookmark(ResourceType.Services, 254, initialEventsEnd: true);
        Assert.Equal(recorded[^frame.Length..], frame);
        var text = JsonNode.Parse(new WatchFrames(protobuf: false).Bookmark(ResourceType.Services, 256, initialEventsEnd: true));
        Assert.True(JsonNode.DeepEquals(line, text), text!.ToJsonString());
    }

    [Fact]
    public void A_node_is_byte_for_byte_that_of_a_real_server() =>
        Assert.Equal(
            Recordings.Bytes("node-get.pb"),
            Envelope.Wrap("v1", "Node", Stored(ResourceType.Nodes, Recordings.Json("node-get.json")).Message));

    [Fact]
    public void A_status_is_byte_for_byte_that_of_a_real_server()
    {
        Assert.Equal(Recordings.Bytes("status-401.pb"), StatusBytes(ApiStatus.Unauthorized));
        Assert.Equal(Recordings.Bytes("status-404.pb"), StatusBytes(ApiStatus.NotFound(ResourceType.Services, "nope")));
        Assert.Equal(
            Recordings.Bytes("list-bad-continue.pb"),
            StatusBytes(ApiStatus.BadRequest(Recordings.Json("list-bad-continue.json")["message"]!.ToString())));
    }

    [Theory]
    [InlineData("services-list.json", "services")]
    [InlineData("endpointslices-list.json", "endpointslices")]
    public void What_is_read_back_from_protobuf_encodes_to_the_same_bytes(string recording, string plural)
    {
        var type = Types[plural];
        Assert.All(Recordings.Json(recording)["items"]!.AsArray(), item =>
        {
            byte[] message = Stored(type, item!).Message;
            Assert.Equal(message, ProtobufEncoder.Encode(type.Message!, ProtobufDecoder.Decode(type.Message!, message)));
        });
    }

    [Fact]
    public void A_value_that_its_field_cannot_hold_is_left_out()
    {
        var service = Builders.Objects.Service("default", "odd").Set("spec.ports", new JsonArray(new JsonObject { ["port"] = "http" }))
            .Set("spec.type", 7).Build();
        var read = ProtobufDecoder.Decode("Service", ProtobufEncoder.Encode("Service", service));
        Assert.Null(read["spec"]!["ports"]![0]!["port"]);
        Assert.Null(read["spec"]!["type"]);
        Assert.Equal("odd", read["metadata"]!["name"]!.ToString());
    }

    private static StoredObject Stored(ResourceType type, JsonNode json) => new(type, (JsonObject)json.DeepClone());

    private static byte[] StatusBytes(ApiStatus status) =>
        Envelope.Wrap("v1", "Status", ProtobufEncoder.Encode("Status", status.ToJson()));

    private static byte[] Field(int number, byte[] bytes) => [.. Envelope.Prefix(number, bytes.Length), .. bytes];
}
