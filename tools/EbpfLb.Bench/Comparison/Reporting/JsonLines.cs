// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace EbpfLb.Bench.Comparison.Reporting;

/// <summary>A file that begins with its schema and has a line for each item of its lists, so that two are compared line by line.</summary>
internal static class JsonLines
{
    public static string Text(int schema, params IEnumerable<string> members) =>
        FormattableString.Invariant($"{{\n\"schema\": {schema}") + string.Concat(members.Select(member => ",\n" + member)) + "\n}\n";

    public static string Member<T>(string name, T value, JsonTypeInfo<T> type) =>
        $"\"{name}\": {JsonSerializer.Serialize(value, type)}";

    public static string List<T>(string name, IEnumerable<T> items, JsonTypeInfo<T> type) =>
        $"\"{name}\": [{string.Join(',', items.Select(item => "\n" + JsonSerializer.Serialize(item, type)))}]";

    /// <summary>The schema, before anything else of the file is understood.</summary>
    /// <returns>Null if the text is no object, or has no number of that name.</returns>
    public static int? Schema(string text)
    {
        using var document = JsonDocument.Parse(text);
        return document.RootElement.ValueKind == JsonValueKind.Object
            && document.RootElement.TryGetProperty("schema", out var schema)
            && schema.ValueKind == JsonValueKind.Number && schema.TryGetInt32(out int number)
            ? number
            : null;
    }
}
