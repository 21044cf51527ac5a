// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;

namespace EbpfLb.FakeApi.Wire;

/// <summary>From bytes of an API message to its JSON, without the fields that say nothing.</summary>
internal static class ProtobufDecoder
{
    public static JsonObject Decode(string message, ReadOnlySpan<byte> bytes)
    {
        var schema = Schema.Of(message);
        var json = new JsonObject();
        while (NextField(ref bytes, out int number, out ulong integer, out var content))
        {
            if (schema.Fields.FirstOrDefault(field => field.Number == number) is not { } field)
                continue;
            if (field.Type is FieldType.TextMap or FieldType.QuantityMap)
                AddToMap(json, field, content);
            else if (field.Repeated)
                ListOf(json, field.Name).Add(ValueOf(field, integer, content));
            else if (ValueOf(field, integer, content) is { } value && !(field.Always && IsEmpty(value)))
                json[field.Name] = value;
        }
        return json;
    }

    /// <summary>One field off the front. The content is empty for a number.</summary>
    /// <exception cref="FormatException">The bytes are no protobuf.</exception>
    public static bool NextField(ref ReadOnlySpan<byte> bytes, out int number, out ulong integer, out ReadOnlySpan<byte> content)
    {
        number = 0;
        integer = 0;
        content = default;
        if (bytes.IsEmpty)
            return false;
        ulong tag = Varint(ref bytes);
        number = (int)(tag >> 3);
        switch (tag & 7)
        {
            case 0:
                integer = Varint(ref bytes);
                break;
            case 1:
                integer = BinaryPrimitives.ReadUInt64LittleEndian(Take(ref bytes, 8));
                break;
            case 2:
                content = Take(ref bytes, Varint(ref bytes));
                break;
            case 5:
                integer = BinaryPrimitives.ReadUInt32LittleEndian(Take(ref bytes, 4));
                break;
            default:
                throw new FormatException($"wire type {tag & 7} of field {number}");
        }
        return true;
    }

    private static JsonNode? ValueOf(Field field, ulong integer, ReadOnlySpan<byte> content) => field.Type switch
    {
        FieldType.Text => Encoding.UTF8.GetString(content),
        FieldType.Integer => (long)integer,
        FieldType.Boolean => integer != 0,
        FieldType.Time => TimeOf(content)?.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"),
        FieldType.MicroTime => TimeOf(content)?.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'"),
        FieldType.IntOrString => IntOrStringOf(content),
        FieldType.Quantity => TextIn(content, 1),
        FieldType.RawJson => JsonNode.Parse(TextIn(content, 1)),
        _ => Decode(field.TypeName, content),
    };

    private static void AddToMap(JsonObject json, Field field, ReadOnlySpan<byte> entry)
    {
        if (json[field.Name] is not JsonObject map)
            json[field.Name] = map = [];
        string value = "";
        string key = TextIn(entry, 1);
        while (NextField(ref entry, out int number, out _, out var content))
        {
            if (number == 2)
                value = field.Type == FieldType.QuantityMap ? TextIn(content, 1) : Encoding.UTF8.GetString(content);
        }
        map[key] = value;
    }

    private static JsonArray ListOf(JsonObject json, string name)
    {
        if (json[name] is not JsonArray list)
            json[name] = list = [];
        return list;
    }

    private static JsonNode? IntOrStringOf(ReadOnlySpan<byte> bytes)
    {
        (ulong type, ulong integer, string text) = (0, 0, "");
        while (NextField(ref bytes, out int number, out ulong value, out var content))
        {
            if (number == 1)
                type = value;
            else if (number == 2)
                integer = value;
            else if (number == 3)
                text = Encoding.UTF8.GetString(content);
        }
        return type == 1 ? text : integer == 0 ? null : (long)integer;
    }

    private static DateTimeOffset? TimeOf(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
            return null;
        (long seconds, long nanoseconds) = (0, 0);
        while (NextField(ref bytes, out int number, out ulong value, out _))
        {
            if (number == 1)
                seconds = (long)value;
            else if (number == 2)
                nanoseconds = (long)value;
        }
        return DateTimeOffset.FromUnixTimeSeconds(seconds).AddTicks(nanoseconds / 100);
    }

    private static string TextIn(ReadOnlySpan<byte> bytes, int wanted)
    {
        while (NextField(ref bytes, out int number, out _, out var content))
        {
            if (number == wanted)
                return Encoding.UTF8.GetString(content);
        }
        return "";
    }

    private static bool IsEmpty(JsonNode value) => value switch
    {
        JsonObject json => json.Count == 0,
        _ => value.ToJsonString() is "\"\"" or "0" or "false",
    };

    private static ulong Varint(ref ReadOnlySpan<byte> bytes)
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            byte next = Take(ref bytes, 1)[0];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
                return value;
        }
        throw new FormatException("a number of more than ten bytes");
    }

    private static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> bytes, ulong count)
    {
        if (count > (ulong)bytes.Length)
            throw new FormatException("the message ends within a field");
        var taken = bytes[..(int)count];
        bytes = bytes[(int)count..];
        return taken;
    }
}
