// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json.Nodes;
using EbpfLb.FakeApi.Store;

namespace EbpfLb.FakeApi.Builders;

/// <summary>An object that is written down field by field, right or wrong.</summary>
public abstract class ObjectBuilder
{
    private protected ObjectBuilder(ResourceType type, string? @namespace, string name)
    {
        Type = type;
        Metadata = new JsonObject { ["name"] = name };
        if (@namespace is not null)
            Metadata["namespace"] = @namespace;
        Json = new JsonObject { ["kind"] = type.Kind, ["apiVersion"] = type.ApiVersion, ["metadata"] = Metadata };
    }

    public ResourceType Type { get; }

    private protected JsonObject Json { get; }

    private protected JsonObject Metadata { get; }

    /// <summary>A copy: the builder can be used again.</summary>
    public JsonObject Build() => (JsonObject)Json.DeepClone();

    private protected static JsonObject ObjectIn(JsonObject json, string name)
    {
        if (json[name] is not JsonObject inner)
            json[name] = inner = [];
        return inner;
    }

    private protected static JsonArray ListIn(JsonObject json, string name)
    {
        if (json[name] is not JsonArray list)
            json[name] = list = [];
        return list;
    }

    private protected static JsonArray ListOf(IEnumerable<string> values) => [.. values.Select(value => JsonValue.Create(value))];
}

/// <summary>What every object has.</summary>
public abstract class ObjectBuilder<TBuilder> : ObjectBuilder
    where TBuilder : ObjectBuilder<TBuilder>
{
    private protected ObjectBuilder(ResourceType type, string? @namespace, string name) : base(type, @namespace, name)
    {
    }

    private TBuilder This => (TBuilder)this;

    public TBuilder Label(string key, string value) => With(() => ObjectIn(Metadata, "labels")[key] = value);

    public TBuilder Annotation(string key, string value) => With(() => ObjectIn(Metadata, "annotations")[key] = value);

    public TBuilder Uid(string uid) => With(() => Metadata["uid"] = uid);

    public TBuilder Created(string time) => With(() => Metadata["creationTimestamp"] = time);

    public TBuilder Deleting(string time) => With(() => Metadata["deletionTimestamp"] = time);

    /// <summary>Any field at all, for instance one that no server would accept.</summary>
    public TBuilder Set(string path, JsonNode? value) => With(() =>
    {
        string[] parts = path.Split('.');
        var json = Json;
        foreach (string part in parts[..^1])
            json = ObjectIn(json, part);
        json[parts[^1]] = value;
    });

    private protected TBuilder With(Action change)
    {
        change();
        return This;
    }
}
