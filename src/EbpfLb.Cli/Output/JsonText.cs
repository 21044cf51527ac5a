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

    public static void Write(TextWriter output, JsonNode node)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, Options))
            node.WriteTo(writer);
        string text = Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
        output.WriteLine(Printable.EscapeLines(text, Escape));
    }

    // Such characters stand inside of strings only.
    private static string Escape(Rune rune) => string.Concat(rune.ToString().Select(unit => Invariant($"\\u{(int)unit:x4}")));
}
