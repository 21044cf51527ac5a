// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text;
using EbpfLb.Kubernetes.Api;
using EbpfLb.Kubernetes.Api.Wire;
using Google.Protobuf;
using Messages = EbpfLb.Kubernetes.Api.Wire.Messages;

namespace EbpfLb.Kubernetes.Tests.Api.Wire;

public sealed class WatchErrorTests
{
    private const string Expired =
        """{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old resource version: 1 (230)","""
        + """ "reason":"Expired","code":410}""";

    [Fact]
    public async Task S147_An_error_within_the_stream_carries_its_status_in_both_encodings()
    {
        byte[] protobuf = Wires.Frame("ERROR", Status(410, "Expired", "too old resource version: 1 (230)"));
        byte[] json = Encoding.UTF8.GetBytes($$"""{"type":"ERROR","object":{{Expired}}}""" + "\n");

        var expected = new ApiStatus(410, "Expired", "too old resource version: 1 (230)");
        foreach (var (body, contentType) in new[] { (protobuf, Recordings.ProtobufWatch), (json, Recordings.Json) })
        {
            var told = Assert.Single(await Wires.ReadWatch(body, contentType, ApiResource.EndpointSlices));
            Assert.Equal(new WatchEvent(WatchEventType.Error) { Status = expected }, told);
        }
    }

    [Fact]
    public async Task S148_A_failure_of_the_store_within_the_stream_is_a_status_of_500()
    {
        byte[] body = Wires.Frame("ERROR", Status(500, "InternalError", "Internal error occurred: etcd"));

        var told = Assert.Single(await Wires.ReadWatch(body, Recordings.ProtobufWatch, ApiResource.Services));

        Assert.Equal(500, told.Status!.Code);
    }

    [Fact]
    public async Task S151_A_status_says_how_long_to_wait_in_both_encodings()
    {
        byte[] protobuf = Wires.Envelope("v1", "Status", new Messages.Status
        {
            Code = 429,
            Reason = "TooManyRequests",
            Message = "slow down",
            Details = new Messages.StatusDetails { RetryAfterSeconds = 5 },
        });
        byte[] json = Encoding.UTF8.GetBytes(
            """{"kind":"Status","apiVersion":"v1","code":429,"reason":"TooManyRequests","message":"slow down","""
            + """ "details":{"retryAfterSeconds":5}}""");

        var expected = new ApiStatus(429, "TooManyRequests", "slow down", 5);
        Assert.Equal(expected, await Wires.ReadStatus(protobuf, Recordings.Protobuf, 429));
        Assert.Equal(expected, await Wires.ReadStatus(json, Recordings.Json, 429));
    }

    [Theory]
    [InlineData("text/html", "<html><body>502 Bad Gateway</body></html>")]
    [InlineData("application/json", "<html><body>502 Bad Gateway</body></html>")]
    [InlineData("application/json", "")]
    [InlineData("application/json", "[1]")]
    [InlineData("application/json", "null")]
    [InlineData("application/json", """{"kind":"ServiceList","apiVersion":"v1"}""")]
    [InlineData("application/vnd.kubernetes.protobuf", "k8s")]
    [InlineData("application/vnd.kubernetes.protobuf", "k8s\0\n\u0010")]
    [InlineData(null, "Unauthorized")]
    public async Task A_page_that_is_no_status_is_one_without_a_reason(string? contentType, string body) => Assert.Equal(
        new ApiStatus(502, "", ""), await Wires.ReadStatus(Encoding.UTF8.GetBytes(body), contentType, 502));

    [Fact]
    public async Task A_status_whose_fields_have_the_wrong_type_keeps_the_code_of_the_answer() => Assert.Equal(
        new ApiStatus(503, "", ""),
        await Wires.ReadStatus("""{"code":"503","reason":1,"message":{},"details":[]}"""u8.ToArray(), Recordings.Json, 503));

    [Fact]
    public async Task An_answer_that_breaks_off_or_never_ends_is_a_status_without_a_reason()
    {
        Assert.Equal(new ApiStatus(500, "", ""), await WireReader.ReadStatusAsync(
            new BrokenStream(), Recordings.Json, 500, CancellationToken.None));
        Assert.Equal(new ApiStatus(500, "", ""), await Wires.ReadStatus(
            [.. Enumerable.Repeat((byte)' ', WireLimits.MaxStatusBytes + 1)], Recordings.Json, 500));
    }

    [Fact]
    public async Task A_bookmark_without_an_object_says_nothing()
    {
        byte[] protobuf = Wires.LengthPrefixed(new Messages.WatchEvent { Type = "BOOKMARK" }.ToByteArray());
        byte[] json = "{\"type\":\"BOOKMARK\"}\n{\"type\":\"BOOKMARK\",\"object\":null}\n"u8.ToArray();

        var nothing = new WatchEvent(WatchEventType.Bookmark);
        Assert.Equal([nothing], await Wires.ReadWatch(protobuf, Recordings.ProtobufWatch, ApiResource.Services));
        Assert.Equal([nothing, nothing], await Wires.ReadWatch(json, Recordings.Json, ApiResource.Services));
    }

    [Fact]
    public async Task A_type_of_event_that_the_API_does_not_have_ends_the_watch()
    {
        byte[] protobuf = Wires.SliceFrame("REPLACED", new Messages.EndpointSlice());
        byte[] json = "{\"type\":\"RE\\nPLACED\",\"object\":{}}\n"u8.ToArray();

        await Assert.ThrowsAsync<WireException>(() => Wires.ReadWatch(protobuf, Recordings.ProtobufWatch, ApiResource.EndpointSlices));
        var error = await Assert.ThrowsAsync<WireException>(() => Wires.ReadWatch(json, Recordings.Json, ApiResource.EndpointSlices));
        Assert.Contains("RE\\u000aPLACED", error.Message);
    }

    private static byte[] Status(int code, string reason, string message) => Wires.Envelope("v1", "Status", new Messages.Status
    {
        Metadata = new Messages.ListMeta { ResourceVersion = "", Continue = "" },
        Status_ = "Failure",
        Message = message,
        Reason = reason,
        Code = code,
    });

    private sealed class BrokenStream : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            throw new IOException("The connection was reset.");
    }
}
