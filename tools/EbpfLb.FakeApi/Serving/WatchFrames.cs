// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using EbpfLb.FakeApi.Store;
using EbpfLb.FakeApi.Wire;

namespace EbpfLb.FakeApi.Serving;

/// <summary>Frames of a watch in one of the encodings.</summary>
internal sealed class WatchFrames(bool protobuf)
{
    private const string InitialEventsEnd = "k8s.io/initial-events-end";

    public bool IsProtobuf => protobuf;

    public byte[] Of(EventType type, StoredObject item) => protobuf
        ? Envelope.Frame(WordFor(type), item.Type.ApiVersion, item.Type.Kind, item.Message)
        : Line(type, item.WholeText());

    public byte[] Bookmark(ResourceType type, long version, bool initialEventsEnd)
    {
        var metadata = new JsonObject { ["resourceVersion"] = StoredObject.Text64(version) };
        if (initialEventsEnd)
            metadata["annotations"] = new JsonObject { [InitialEventsEnd] = "true" };
        var json = new JsonObject { ["metadata"] = metadata };
        // What an object without anything looks like in Go's JSON.
        if (type == ResourceType.EndpointSlices)
        {
            json["addressType"] = "";
            json["endpoints"] = null;
            json["ports"] = null;
        }
        else if (type == ResourceType.Services)
        {
            json["spec"] = new JsonObject();
            json["status"] = new JsonObject { ["loadBalancer"] = new JsonObject() };
        }
        return Of(EventType.Bookmark, new StoredObject(type, json));
    }

    public byte[] Error(ApiStatus status)
    {
        var json = status.ToJson();
        return protobuf
            ? Envelope.Frame("ERROR", "v1", "Status", ProtobufEncoder.Encode("Status", json))
            : Line(EventType.Error, StoredObject.Whole("v1", "Status", JsonSerializer.SerializeToUtf8Bytes(json)));
    }

    private static byte[] Line(EventType type, byte[] text) =>
        [.. Encoding.UTF8.GetBytes($"{{\"type\":\"{WordFor(type)}\",\"object\":"), .. text, (byte)'}', (byte)'\n'];

    private static string WordFor(EventType type) => type.ToString().ToUpperInvariant();
}
