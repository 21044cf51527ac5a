// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Text;

namespace EbpfLb.Cli.Output;

/// <summary>
/// Names and messages come from whoever may write to the API. What would move the cursor, colour, hide or reorder text on a terminal is
/// shown as an escape instead.
/// </summary>
internal static class Printable
{
    public static string Of(string text)
    {
        bool clean = true;
        foreach (var rune in text.EnumerateRunes())
            clean &= IsHarmless(rune);
        if (clean)
            return text;

        var escaped = new StringBuilder(text.Length + 16);
        foreach (var rune in text.EnumerateRunes())
        {
            if (IsHarmless(rune))
                escaped.Append(rune.ToString());
            else if (rune.Value <= 0xff)
                escaped.Append(CultureInfo.InvariantCulture, $"\\x{rune.Value:x2}");
            else
                escaped.Append(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:x}}}");
        }

        return escaped.ToString();
    }

    // A lone surrogate is enumerated as U+FFFD, which is harmless.
    private static bool IsHarmless(Rune rune) => Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned);
}
