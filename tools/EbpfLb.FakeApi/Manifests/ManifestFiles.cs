// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json.Nodes;
using EbpfLb.FakeApi.Store;

namespace EbpfLb.FakeApi.Manifests;

/// <summary>Puts the objects of a directory into a store.</summary>
public static class ManifestFiles
{
    private static readonly string[] Endings = [".yaml", ".yml", ".json"];

    /// <exception cref="FormatException">A file is no YAML, or holds what the server has no place for.</exception>
    public static int Load(string directory, ObjectStore store)
    {
        int count = 0;
        var paths = Directory.EnumerateFiles(directory).Where(path => Endings.Contains(Path.GetExtension(path)));
        foreach (string path in paths.Order(StringComparer.Ordinal))
        {
            using var reader = new StreamReader(path);
            foreach (var json in Yaml.Read(reader).OfType<JsonObject>().SelectMany(ItemsOf))
            {
                var type = ResourceType.OfKind(json["apiVersion"]?.ToString(), json["kind"]?.ToString())
                    ?? throw new FormatException($"{path}: there is no place for {json["apiVersion"]} {json["kind"]}.");
                store.Put(type, (JsonObject)json.DeepClone());
                count++;
            }
        }
        return count;
    }

    private static IEnumerable<JsonObject> ItemsOf(JsonObject json) =>
        json["items"] is JsonArray items ? items.OfType<JsonObject>() : [json];
}
