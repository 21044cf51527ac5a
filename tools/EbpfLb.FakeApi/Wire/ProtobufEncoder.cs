// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace EbpfLb.FakeApi.Wire;

/// <summary>
/// From the JSON of an object to the bytes that an API server sends for it. A value that its field cannot hold is left out.
/// </summary>
internal static class ProtobufEncoder
{
    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static byte[] Encode(string message, JsonNode? json)
    {
        var writer = new ReverseWriter();
        WriteFields(writer, Schema.Of(message), json as JsonObject);
        return writer.ToArray();
    }

    private static void WriteFields(ReverseWriter writer, Schema schema, JsonObject? json)
    {
        for (int index = schema.Fields.Count - 1; index >= 0; index--)
        {
            var field = schema.Fields[index];
            var value = json?[field.Name];
            if (field.Repeated)
                WriteRepeated(writer, field, value as JsonArray);
            else if (field.Type is FieldType.TextMap or FieldType.QuantityMap)
                WriteMap(writer, field, value as JsonObject);
            else if (value is not null || field.Always)
                WriteValue(writer, field, value);
        }
    }

    private static void WriteRepeated(ReverseWriter writer, Field field, JsonArray? values)
    {
        for (int index = (values?.Count ?? 0) - 1; index >= 0; index--)
            WriteValue(writer, field, values![index]);
    }

    private static void WriteMap(ReverseWriter writer, Field field, JsonObject? values)
    {
        foreach (var (key, value) in (values ?? []).OrderByDescending(entry => entry.Key, StringComparer.Ordinal))
        {
            int before = writer.Length;
            if (field.Type == FieldType.QuantityMap)
                WriteQuantity(writer, 2, value);
            else
                writer.Text(2, TextOf(value) ?? "");
            writer.Text(1, key);
            writer.EndOfMessage(field.Number, before);
        }
    }

    private static void WriteValue(ReverseWriter writer, Field field, JsonNode? value)
    {
        int before = writer.Length;
        switch (field.Type)
        {
            case FieldType.Text when value is null || TextOf(value) is not null:
                writer.Text(field.Number, TextOf(value) ?? "");
                break;
            case FieldType.Integer when value is null || IntegerOf(value) is not null:
                writer.Integer(field.Number, IntegerOf(value) ?? 0);
                break;
            case FieldType.Boolean when value is null || value.GetValueKind() is JsonValueKind.True or JsonValueKind.False:
                writer.Integer(field.Number, value?.GetValueKind() == JsonValueKind.True ? 1 : 0);
                break;
            case FieldType.Time or FieldType.MicroTime when value is null || TimeOf(value) is not null:
                WriteTime(writer, TimeOf(value), withFraction: field.Type == FieldType.MicroTime);
                writer.EndOfMessage(field.Number, before);
                break;
            case FieldType.IntOrString when value is null || TextOf(value) is not null || IntegerOf(value) is not null:
                writer.Text(3, TextOf(value) ?? "");
                writer.Integer(2, IntegerOf(value) ?? 0);
                writer.Integer(1, TextOf(value) is null ? 0 : 1);
                writer.EndOfMessage(field.Number, before);
                break;
            case FieldType.Quantity:
                WriteQuantity(writer, field.Number, value);
                break;
            case FieldType.RawJson when value is not null:
                writer.Bytes(1, JsonSerializer.SerializeToUtf8Bytes(value, Relaxed));
                writer.EndOfMessage(field.Number, before);
                break;
            case FieldType.Message when value is null or JsonObject:
                WriteFields(writer, Schema.Of(field.TypeName), value as JsonObject);
                writer.EndOfMessage(field.Number, before);
                break;
            default:
                break;
        }
    }

    private static void WriteTime(ReverseWriter writer, DateTimeOffset? time, bool withFraction)
    {
        if (time is not { } known)
            return;
        writer.Integer(2, withFraction ? known.Ticks % TimeSpan.TicksPerSecond * 100 : 0);
        writer.Integer(1, known.ToUnixTimeSeconds());
    }

    private static void WriteQuantity(ReverseWriter writer, int number, JsonNode? value)
    {
        int before = writer.Length;
        writer.Text(1, TextOf(value) ?? IntegerOf(value)?.ToString(CultureInfo.InvariantCulture) ?? "0");
        writer.EndOfMessage(number, before);
    }

    private static string? TextOf(JsonNode? value) =>
        value?.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null;

    private static long? IntegerOf(JsonNode? value) =>
        value?.GetValueKind() == JsonValueKind.Number && long.TryParse(value.ToJsonString(), CultureInfo.InvariantCulture, out long number)
            ? number
            : null;

    private static DateTimeOffset? TimeOf(JsonNode? value) =>
        DateTimeOffset.TryParse(TextOf(value), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
}
