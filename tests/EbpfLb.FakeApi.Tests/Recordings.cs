// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text;
using System.Text.Json.Nodes;

namespace EbpfLb.FakeApi.Tests;

/// <summary>What a real API server sent: the same exchange in both encodings.</summary>
internal static class Recordings
{
    public static byte[] Bytes(string name)
    {
        using var stream = typeof(Recordings).Assembly.GetManifestResourceStream("recorded/" + name)!;
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    public static JsonObject Json(string name) => (JsonObject)JsonNode.Parse(Bytes(name))!;

    public static JsonObject[] Lines(string name)
    {
        string[] lines = Encoding.UTF8.GetString(Bytes(name)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return [.. lines.Select(line => (JsonObject)JsonNode.Parse(line)!)];
    }
}
