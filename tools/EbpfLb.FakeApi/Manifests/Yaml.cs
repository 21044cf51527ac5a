// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace EbpfLb.FakeApi.Manifests;

/// <summary>YAML, and with it JSON, as JSON. Plain scalars have the types that kubectl sees in them.</summary>
internal static class Yaml
{
    /// <summary>A value for each document.</summary>
    /// <exception cref="FormatException">It is no YAML.</exception>
    public static IReadOnlyList<JsonNode?> Read(TextReader text)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(text);
        }
        catch (YamlException exception)
        {
            throw new FormatException(exception.Message, exception);
        }
        return [.. stream.Documents.Select(document => Convert(document.RootNode))];
    }

    private static JsonNode? Convert(YamlNode node) => node switch
    {
        YamlMappingNode mapping =>
            new JsonObject(mapping.Select(entry => KeyValuePair.Create(((YamlScalarNode)entry.Key).Value ?? "", Convert(entry.Value)))),
        YamlSequenceNode sequence => new JsonArray([.. sequence.Select(Convert)]),
        YamlScalarNode { Style: ScalarStyle.Plain } scalar => Plain(scalar.Value ?? ""),
        YamlScalarNode scalar => scalar.Value,
        _ => null,
    };

    private static JsonNode? Plain(string text) => text switch
    {
        "" or "~" or "null" => null,
        "true" or "yes" or "on" => true,
        "false" or "no" or "off" => false,
        _ when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) => number,
        _ when char.IsAsciiDigit(text[^1])
            && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) => number,
        _ => text,
    };
}
