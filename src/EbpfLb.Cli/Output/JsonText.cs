// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using static System.FormattableString;

namespace EbpfLb.Cli.Output;

internal static class JsonText
{
    // Quotes and angle brackets need no escape outside of HTML.
    private static readonly JsonWriterOptions Options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private const int Piece = 1 << 20;

    public static void Write(TextWriter output, JsonNode node)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, Options))
            node.WriteTo(writer);
        Flush(output, buffer);
        output.WriteLine();
    }

    /// <summary>An array piece by piece: the text of 100,000 flows is never there as a whole.</summary>
    public static void Write(TextWriter output, IEnumerable<JsonNode> items)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, Options))
        {
            writer.WriteStartArray();
            foreach (var item in items)
            {
                item.WriteTo(writer);
                if (writer.BytesPending + buffer.Length < Piece)
                    continue;

                writer.Flush();
                Flush(output, buffer);
            }

            writer.WriteEndArray();
        }

        Flush(output, buffer);
        output.WriteLine();
    }

    // At the end of an item, so in the middle of no character.
    private static void Flush(TextWriter output, MemoryStream buffer)
    {
        string text = Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
        output.Write(Printable.EscapeLines(text, Escape));
        buffer.SetLength(0);
    }

    // Such characters stand inside of strings only.
    private static string Escape(Rune rune) => string.Concat(rune.ToString().Select(unit => Invariant($"\\u{(int)unit:x4}")));
}
