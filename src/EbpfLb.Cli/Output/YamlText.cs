// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using static System.FormattableString;

namespace EbpfLb.Cli.Output;

/// <summary>JSON as YAML. Text that any YAML reader could take for something else is quoted.</summary>
internal static class YamlText
{
    private static readonly string[] Reserved = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];

    private const int Piece = 1 << 20;

    public static void Write(TextWriter output, JsonNode node) => WriteDocument(output, (emitter, _) => Emit(emitter, node));

    /// <summary>A sequence piece by piece: the text of 100,000 flows is never there as a whole.</summary>
    public static void Write(TextWriter output, IEnumerable<JsonNode> items) => WriteDocument(output, (emitter, text) =>
    {
        bool any = false;
        foreach (var item in items)
        {
            if (!any)
                emitter.Emit(new SequenceStart(AnchorName.Empty, TagName.Empty, isImplicit: true, SequenceStyle.Block));
            any = true;
            Emit(emitter, item);
            if (text.GetStringBuilder().Length >= Piece)
                Flush(output, text);
        }

        if (!any)
            emitter.Emit(new SequenceStart(AnchorName.Empty, TagName.Empty, isImplicit: true, SequenceStyle.Flow));
        emitter.Emit(new SequenceEnd());
    });

    private static void WriteDocument(TextWriter output, Action<Emitter, StringWriter> write)
    {
        var text = new StringWriter();
        var emitter = new Emitter(text, new EmitterSettings().WithBestWidth(int.MaxValue).WithoutAnchorName());
        emitter.Emit(new StreamStart());
        emitter.Emit(new DocumentStart(null, null, isImplicit: true));
        write(emitter, text);
        emitter.Emit(new DocumentEnd(isImplicit: true));
        emitter.Emit(new StreamEnd());
        Flush(output, text);
    }

    // At the end of an event, so in the middle of no character.
    private static void Flush(TextWriter output, StringWriter text)
    {
        output.Write(Printable.EscapeLines(text.ToString(), Escape));
        text.GetStringBuilder().Clear();
    }

    // Such characters stand inside of double quotes only.
    private static string Escape(Rune rune) => rune.IsBmp ? Invariant($"\\u{rune.Value:x4}") : Invariant($"\\U{rune.Value:x8}");

    private static void Emit(Emitter emitter, JsonNode? node)
    {
        switch (node)
        {
            case JsonObject members:
                emitter.Emit(new MappingStart(
                    AnchorName.Empty, TagName.Empty, isImplicit: true, members.Count == 0 ? MappingStyle.Flow : MappingStyle.Block));
                foreach (var (name, value) in members)
                {
                    emitter.Emit(new Scalar(name));
                    Emit(emitter, value);
                }

                emitter.Emit(new MappingEnd());
                break;
            case JsonArray items:
                emitter.Emit(new SequenceStart(
                    AnchorName.Empty, TagName.Empty, isImplicit: true, items.Count == 0 ? SequenceStyle.Flow : SequenceStyle.Block));
                foreach (var item in items)
                    Emit(emitter, item);
                emitter.Emit(new SequenceEnd());
                break;
            case null:
                emitter.Emit(Plain("null"));
                break;
            default:
                emitter.Emit(node.GetValueKind() == JsonValueKind.String ? Text(node.GetValue<string>()) : Plain(node.ToJsonString()));
                break;
        }
    }

    private static Scalar Text(string text) => IsPlain(text)
        ? Plain(text)
        : new Scalar(AnchorName.Empty, TagName.Empty, text, ScalarStyle.DoubleQuoted, isPlainImplicit: false, isQuotedImplicit: true);

    private static Scalar Plain(string text) =>
        new(AnchorName.Empty, TagName.Empty, text, ScalarStyle.Plain, isPlainImplicit: true, isQuotedImplicit: false);

    private static bool IsPlain(string text) =>
        text.Length > 0
        && (char.IsAsciiLetter(text[0]) || text[0] == '/')
        && text.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.' or '/')
        && !Reserved.Contains(text, StringComparer.OrdinalIgnoreCase);
}
