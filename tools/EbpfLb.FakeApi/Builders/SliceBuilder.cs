// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json.Nodes;
using EbpfLb.FakeApi.Store;

namespace EbpfLb.FakeApi.Builders;

public sealed class SliceBuilder : ObjectBuilder<SliceBuilder>
{
    internal SliceBuilder(string @namespace, string name, string? service) : base(ResourceType.EndpointSlices, @namespace, name)
    {
        Json["addressType"] = "IPv4";
        Json["endpoints"] = new JsonArray();
        Json["ports"] = new JsonArray();
        if (service is not null)
            Label("kubernetes.io/service-name", service);
    }

    public SliceBuilder AddressType(string type) => With(() => Json["addressType"] = type);

    /// <param name="port">Null: every port.</param>
    public SliceBuilder Port(int? port, string? name = "", string? protocol = "TCP") => With(() =>
    {
        var entry = new JsonObject();
        if (name is not null)
            entry["name"] = name;
        if (protocol is not null)
            entry["protocol"] = protocol;
        if (port is not null)
            entry["port"] = port;
        ListIn(Json, "ports").Add(entry);
    });

    /// <summary>A condition that is null is not there.</summary>
    public SliceBuilder Endpoint(
        string address, bool? ready = true, bool? serving = true, bool? terminating = false, string? node = null, string? zone = null,
        string[]? forZones = null, string[]? forNodes = null) => With(() =>
    {
        var conditions = new JsonObject();
        Add(conditions, "ready", ready);
        Add(conditions, "serving", serving);
        Add(conditions, "terminating", terminating);
        var endpoint = new JsonObject { ["addresses"] = new JsonArray(address), ["conditions"] = conditions };
        Add(endpoint, "nodeName", node);
        Add(endpoint, "zone", zone);
        if (forZones is not null || forNodes is not null)
        {
            var hints = ObjectIn(endpoint, "hints");
            Add(hints, "forZones", NamesOf(forZones));
            Add(hints, "forNodes", NamesOf(forNodes));
        }
        ListIn(Json, "endpoints").Add(endpoint);
    });

    private static JsonArray? NamesOf(string[]? names) =>
        names is null ? null : [.. names.Select(name => new JsonObject { ["name"] = name })];

    private static void Add(JsonObject json, string name, JsonNode? value)
    {
        if (value is not null)
            json[name] = value;
    }
}
