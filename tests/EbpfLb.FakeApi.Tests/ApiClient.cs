// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers.Binary;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using EbpfLb.FakeApi.Wire;

namespace EbpfLb.FakeApi.Tests;

/// <summary>A plain client that reads both encodings to JSON.</summary>
internal sealed class ApiClient(HttpClient http, bool protobuf) : IDisposable
{
    public const string Services = "/api/v1/services";
    public const string Slices = "/apis/discovery.k8s.io/v1/endpointslices";

    /// <summary>No exchange of a test takes longer than this, unless it fails.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private string MediaType => protobuf ? "application/vnd.kubernetes.protobuf" : "application/json";

    public static ApiClient Of(FakeApiServer server, bool protobuf) =>
        new(new HttpClient { BaseAddress = server.Url, Timeout = Patience }, protobuf);

    public Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? body = null, string mediaType = "application/json")
    {
        var request = new HttpRequestMessage(method, path);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, mediaType);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(MediaType));
        return http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    public Task<HttpResponseMessage> GetAsync(string path) => SendAsync(HttpMethod.Get, path);

    /// <summary>A list, or an object, or a Status.</summary>
    public async Task<JsonObject> ReadAsync(HttpResponseMessage response)
    {
        byte[] body = await response.Content.ReadAsByteArrayAsync();
        Assert.Equal(MediaType, response.Content.Headers.ContentType!.MediaType);
        if (!protobuf)
            return (JsonObject)JsonNode.Parse(body)!;
        (_, string kind, byte[] message) = Envelope.Unwrap(body);
        return kind.EndsWith("List", StringComparison.Ordinal) ? ListOf(kind[..^4], message) : ProtobufDecoder.Decode(kind, message);
    }

    public async Task<JsonObject> ReadAsync(string path)
    {
        using var response = await GetAsync(path);
        return await ReadAsync(response);
    }

    public static string[] NamesIn(JsonObject list) =>
        [.. (list["items"] as JsonArray ?? []).Select(item => item!["metadata"]!["name"]!.ToString())];

    /// <summary>Opens a watch; the frames are to be read from what comes back.</summary>
    public async Task<WatchReader> WatchAsync(string path)
    {
        var response = await GetAsync(path);
        Assert.Equal(200, (int)response.StatusCode);
        return new WatchReader(response, await response.Content.ReadAsStreamAsync(), protobuf);
    }

    public void Dispose() => http.Dispose();

    private static JsonObject ListOf(string kind, ReadOnlySpan<byte> bytes)
    {
        var items = new JsonArray();
        var list = new JsonObject { ["items"] = items };
        while (ProtobufDecoder.NextField(ref bytes, out int number, out _, out var content))
        {
            if (number == 1)
                list["metadata"] = ProtobufDecoder.Decode("ListMeta", content);
            else
                items.Add(ProtobufDecoder.Decode(kind, content));
        }
        return list;
    }

    internal sealed class WatchReader(HttpResponseMessage response, Stream stream, bool protobuf) : IDisposable
    {
        private static readonly string[] NoFrame = [];

        /// <summary>TYPE name@version; null at the end of the stream.</summary>
        public async Task<string?> NextAsync()
        {
            using var patience = new CancellationTokenSource(Patience);
            var frame = protobuf ? await FrameAsync(patience.Token) : await LineAsync(patience.Token);
            if (frame is not var (type, item))
                return null;
            Last = item;
            return type == "ERROR" ? $"ERROR {item["code"]} {item["reason"]}"
                : $"{type} {item["metadata"]?["name"]}@{item["metadata"]?["resourceVersion"]}";
        }

        public JsonObject Last { get; private set; } = [];

        public async Task<string[]> NextAsync(int count)
        {
            var events = NoFrame.ToList();
            while (events.Count < count && await NextAsync() is { } next)
                events.Add(next);
            return [.. events];
        }

        /// <summary>Skips so many protobuf frames unread.</summary>
        public async Task SkipAsync(int count)
        {
            using var patience = new CancellationTokenSource(Patience);
            await using var buffered = new BufferedStream(stream, 1 << 20);
            byte[] frame = new byte[1 << 20];
            for (; count > 0; count--)
            {
                await buffered.ReadExactlyAsync(frame.AsMemory(0, 4), patience.Token);
                await buffered.ReadExactlyAsync(frame.AsMemory(0, BinaryPrimitives.ReadInt32BigEndian(frame)), patience.Token);
            }
        }

        public void Dispose()
        {
            stream.Dispose();
            response.Dispose();
        }

        private async Task<(string, JsonObject)?> FrameAsync(CancellationToken cancellation)
        {
            byte[] length = new byte[4];
            if (await stream.ReadAtLeastAsync(length, 4, throwOnEndOfStream: false, cancellation) == 0)
                return null;
            byte[] frame = new byte[BinaryPrimitives.ReadInt32BigEndian(length)];
            await stream.ReadExactlyAsync(frame, cancellation);
            return EventIn(frame);
        }

        private static (string, JsonObject) EventIn(ReadOnlySpan<byte> frame)
        {
            (string type, JsonObject item) = ("", []);
            while (ProtobufDecoder.NextField(ref frame, out int number, out _, out var content))
            {
                if (number == 1)
                {
                    type = Encoding.UTF8.GetString(content);
                    continue;
                }
                Assert.True(ProtobufDecoder.NextField(ref content, out _, out _, out var wrapped));
                (_, string kind, byte[] message) = Envelope.Unwrap(wrapped);
                item = ProtobufDecoder.Decode(kind, message);
            }
            return (type, item);
        }

        private async Task<(string, JsonObject)?> LineAsync(CancellationToken cancellation)
        {
            var line = new List<byte>();
            byte[] next = new byte[1];
            while (await stream.ReadAsync(next, cancellation) == 1)
            {
                if (next[0] != '\n')
                {
                    line.Add(next[0]);
                    continue;
                }
                if (Encoding.UTF8.GetString([.. line]).Trim().Length == 0)
                    continue;
                var json = JsonNode.Parse(line.ToArray())!;
                return (json["type"]!.ToString(), (JsonObject)json["object"]!);
            }
            return line.Count == 0 ? null : throw new EndOfStreamException();
        }
    }
}
