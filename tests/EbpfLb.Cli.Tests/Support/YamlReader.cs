// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace EbpfLb.Cli.Tests.Support;

/// <summary>YAML as JSON: what is quoted is text; what is not is a number, a truth or nothing if it can be read as one.</summary>
internal static class YamlReader
{
    public static JsonNode? Read(string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        return Convert(Assert.Single(stream.Documents).RootNode);
    }

    private static JsonNode? Convert(YamlNode node) => node switch
    {
        YamlMappingNode mapping => new JsonObject(
            mapping.Children.Select(child => KeyValuePair.Create(((YamlScalarNode)child.Key).Value!, Convert(child.Value)))),
        YamlSequenceNode sequence => new JsonArray([.. sequence.Children.Select(Convert)]),
        YamlScalarNode { Style: ScalarStyle.Plain } plain => Plain(plain.Value!),
        YamlScalarNode quoted => JsonValue.Create(quoted.Value),
        _ => throw new InvalidOperationException($"{node} is of no kind that was written."),
    };

    private static JsonNode? Plain(string text)
    {
        if (text is "null" or "~" or "")
            return null;
        bool isJson = text is "true" or "false" || "-0123456789".Contains(text[0], StringComparison.Ordinal);
        return isJson ? JsonNode.Parse(text) : JsonValue.Create(text);
    }
}
