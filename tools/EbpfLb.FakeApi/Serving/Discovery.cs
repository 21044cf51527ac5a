// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json.Nodes;
using EbpfLb.FakeApi.Store;

namespace EbpfLb.FakeApi.Serving;

/// <summary>What the server tells about itself: versions, groups, resources, health.</summary>
internal static class Discovery
{
    private static readonly string[] Verbs = ["create", "delete", "get", "list", "patch", "update", "watch"];

    /// <summary>Null: there is no such page.</summary>
    public static JsonObject? Page(string path) => path.Split('/', StringSplitOptions.RemoveEmptyEntries) switch
    {
        ["version"] => new JsonObject
        {
            ["major"] = "1",
            ["minor"] = "36",
            ["gitVersion"] = "v1.36.0-fake",
            ["platform"] = "linux/amd64",
        },
        ["api"] => new JsonObject { ["kind"] = "APIVersions", ["versions"] = new JsonArray("v1") },
        ["apis"] => new JsonObject
        {
            ["kind"] = "APIGroupList",
            ["apiVersion"] = "v1",
            ["groups"] = new JsonArray(
                [.. ResourceType.All.Select(type => type.Group).Where(group => group.Length > 0).Distinct().Select(Group)]),
        },
        ["api", var version] => Resources("", version),
        ["apis", var group] when ResourceType.All.Any(type => type.Group == group) => Group(group),
        ["apis", var group, var version] => Resources(group, version),
        _ => null,
    };

    private static JsonObject Group(string name)
    {
        var version = new JsonObject { ["groupVersion"] = name + "/v1", ["version"] = "v1" };
        return new JsonObject
        {
            ["kind"] = "APIGroup",
            ["apiVersion"] = "v1",
            ["name"] = name,
            ["versions"] = new JsonArray(version),
            ["preferredVersion"] = version.DeepClone(),
        };
    }

    private static JsonObject? Resources(string group, string version)
    {
        var types = ResourceType.All.Where(type => type.Group == group && type.Version == version).ToList();
        return types.Count == 0 ? null : new JsonObject
        {
            ["kind"] = "APIResourceList",
            ["apiVersion"] = "v1",
            ["groupVersion"] = types[0].ApiVersion,
            ["resources"] = new JsonArray([.. types.Select(type => new JsonObject
            {
                ["name"] = type.Plural,
                ["singularName"] = type.Kind.ToLowerInvariant(),
                ["namespaced"] = type.Namespaced,
                ["kind"] = type.Kind,
                ["verbs"] = new JsonArray([.. Verbs.Select(verb => JsonValue.Create(verb))]),
            })]),
        };
    }
}
