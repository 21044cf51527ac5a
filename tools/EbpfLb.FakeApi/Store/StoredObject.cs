// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Collections.Frozen;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using EbpfLb.FakeApi.Wire;

namespace EbpfLb.FakeApi.Store;

/// <summary>
/// One version of an object. It is kept as it came, as JSON or as the bytes of its protobuf message; the other form is made when
/// somebody asks for it. Nobody changes either.
/// </summary>
public sealed class StoredObject
{
    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private JsonObject? _json;
    private byte[]? _message;
    private byte[]? _text;

    /// <summary>The JSON is the caller's no more; version and kind in it do not matter.</summary>
    public StoredObject(ResourceType type, JsonObject json)
    {
        json.Remove("kind");
        json.Remove("apiVersion");
        Type = type;
        _json = json;
        var metadata = json["metadata"] as JsonObject;
        Namespace = TextIn(metadata, "namespace");
        Name = TextIn(metadata, "name");
        ResourceVersion = long.TryParse(TextIn(metadata, "resourceVersion"), CultureInfo.InvariantCulture, out long version) ? version : 0;
        Labels = metadata?["labels"] is JsonObject labels
            ? labels.ToFrozenDictionary(label => label.Key, label => label.Value?.ToString() ?? "", StringComparer.Ordinal)
            : FrozenDictionary<string, string>.Empty;
    }

    /// <param name="message">Protobuf that holds what the other parameters say.</param>
    /// <param name="clusterIP">Of a Service, since a field selector asks for it.</param>
    public StoredObject(
        ResourceType type, string @namespace, string name, long resourceVersion, IReadOnlyDictionary<string, string> labels,
        string clusterIP, byte[] message)
    {
        (Type, Namespace, Name, ResourceVersion, Labels, ClusterIP) = (type, @namespace, name, resourceVersion, labels, clusterIP);
        _message = message;
    }

    public ResourceType Type { get; }

    public string Namespace { get; }

    public string Name { get; }

    public long ResourceVersion { get; }

    public IReadOnlyDictionary<string, string> Labels { get; }

    /// <summary>The order of lists.</summary>
    public string Key => $"{Namespace}/{Name}";

    private string? ClusterIP { get; }

    /// <summary>Without version and kind, as the items of a list are. To be read only.</summary>
    public JsonObject Json => _json ??= ProtobufDecoder.Decode(Type.Message!, _message);

    /// <summary>The message without its envelope. Only of a type that has one.</summary>
    public byte[] Message => _message ??= ProtobufEncoder.Encode(Type.Message!, Json);

    /// <summary>The JSON as text.</summary>
    public byte[] Text => _text ??= JsonSerializer.SerializeToUtf8Bytes(Json, Relaxed);

    public string? Field(string path) => path switch
    {
        "metadata.name" => Name,
        "metadata.namespace" => Namespace,
        "spec.clusterIP" when ClusterIP is not null => ClusterIP,
        _ => FieldOf(Json, path),
    };

    /// <summary>The same object under another version, which is what a deletion is told with.</summary>
    public StoredObject At(long resourceVersion) => With(json => Metadata(json)["resourceVersion"] = Text64(resourceVersion));

    public StoredObject With(Action<JsonObject> change)
    {
        var json = (JsonObject)Json.DeepClone();
        change(json);
        return new StoredObject(Type, json);
    }

    /// <summary>Text of the object with version and kind, as it stands alone and in a watch.</summary>
    public byte[] WholeText() => Whole(Type.ApiVersion, Type.Kind, Text);

    internal static byte[] Whole(string apiVersion, string kind, byte[] text)
    {
        byte[] head = JsonSerializer.SerializeToUtf8Bytes(new JsonObject { ["kind"] = kind, ["apiVersion"] = apiVersion });
        if (text.Length == 2)
            return head;
        head[^1] = (byte)',';
        return [.. head, .. text.AsSpan(1)];
    }

    internal static JsonObject Metadata(JsonObject json)
    {
        if (json["metadata"] is not JsonObject metadata)
            json["metadata"] = metadata = [];
        return metadata;
    }

    internal static string Text64(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string? FieldOf(JsonNode? node, string path)
    {
        foreach (string part in path.Split('.'))
            node = (node as JsonObject)?[part];
        return node?.ToString();
    }

    private static string TextIn(JsonObject? json, string name) => json?[name]?.ToString() ?? "";
}
