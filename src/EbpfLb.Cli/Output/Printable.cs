// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Text;
using static System.FormattableString;

namespace EbpfLb.Cli.Output;

/// <summary>
/// Names and messages come from whoever may write to the API. What would move the cursor, colour, hide or reorder text on a terminal is
/// shown as an escape instead.
/// </summary>
internal static class Printable
{
    public static string Of(string text) => Escape(text, static rune =>
        rune.Value <= 0xff ? Invariant($"\\x{rune.Value:x2}") : Invariant($"\\u{{{rune.Value:x}}}"));

    /// <summary>The same for text in a format that has escapes of its own, whose lines end in line feeds.</summary>
    public static string EscapeLines(string text, Func<Rune, string> escape) =>
        Escape(text, rune => rune.Value == '\n' ? "\n" : escape(rune));

    private static string Escape(string text, Func<Rune, string> escape)
    {
        bool clean = true;
        foreach (var rune in text.EnumerateRunes())
            clean &= IsHarmless(rune);
        if (clean)
            return text;

        var escaped = new StringBuilder(text.Length + 16);
        foreach (var rune in text.EnumerateRunes())
            escaped.Append(IsHarmless(rune) ? rune.ToString() : escape(rune));
        return escaped.ToString();
    }

    // A lone surrogate is enumerated as U+FFFD, which is harmless.
    private static bool IsHarmless(Rune rune) => Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned);
}
