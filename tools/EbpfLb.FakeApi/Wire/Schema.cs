// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Collections.Frozen;
using System.Globalization;

namespace EbpfLb.FakeApi.Wire;

internal enum FieldType
{
    Text,
    Integer,
    Boolean,
    Time,
    MicroTime,
    IntOrString,
    Quantity,
    RawJson,
    TextMap,
    QuantityMap,
    Message,
}

/// <param name="Always">A server writes it also where it has nothing to say: its Go type is no pointer.</param>
internal sealed record Field(int Number, string Name, FieldType Type, string TypeName, bool Always, bool Repeated);

/// <summary>A message of the API: its fields in the order of their numbers, which is the order a server writes them in.</summary>
internal sealed class Schema
{
    private static readonly FrozenDictionary<string, Schema> All = Parse(SchemaText.Messages);

    private Schema(IEnumerable<Field> fields)
    {
        Fields = [.. fields.OrderBy(field => field.Number)];
    }

    public IReadOnlyList<Field> Fields { get; }

    public static Schema Of(string message) => All[message];

    private static FrozenDictionary<string, Schema> Parse(string text)
    {
        var fields = new Dictionary<string, List<Field>>(StringComparer.Ordinal);
        string message = "";
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line[0] != ' ')
            {
                message = line;
                fields.Add(message, []);
                continue;
            }
            string[] parts = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            string type = parts[2].TrimEnd('!', '*');
            fields[message].Add(new Field(
                int.Parse(parts[0], CultureInfo.InvariantCulture), parts[1], TypeOf(type), type,
                Always: parts[2].EndsWith('!'), Repeated: parts[2].EndsWith('*')));
        }
        return fields.ToFrozenDictionary(entry => entry.Key, entry => new Schema(entry.Value), StringComparer.Ordinal);
    }

    private static FieldType TypeOf(string name) => name switch
    {
        "text" => FieldType.Text,
        "int" => FieldType.Integer,
        "bool" => FieldType.Boolean,
        "time" => FieldType.Time,
        "microtime" => FieldType.MicroTime,
        "intOrString" => FieldType.IntOrString,
        "quantity" => FieldType.Quantity,
        "rawJson" => FieldType.RawJson,
        "map" => FieldType.TextMap,
        "quantityMap" => FieldType.QuantityMap,
        _ => FieldType.Message,
    };
}
