// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Text;

namespace EbpfLb.Kubernetes.Translation;

/// <summary>
/// Text from outside, made fit for one line of a log or a terminal: control characters (so also ANSI sequences), line separators and
/// characters that turn the direction of writing become \uXXXX.
/// </summary>
public static class PrintableText
{
    private const int QuoteLimit = 64;

    public static string Escape(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int first = 0;
        while (first < text.Length && IsPrintable(text[first]))
            first++;
        if (first == text.Length)
            return text;

        var escaped = new StringBuilder(text.Length + 16).Append(text, 0, first);
        for (int i = first; i < text.Length; i++)
        {
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
                escaped.Append(text[i]).Append(text[++i]);
            else if (IsPrintable(text[i]))
                escaped.Append(text[i]);
            else
                escaped.Append(CultureInfo.InvariantCulture, $"\\u{(int)text[i]:x4}");
        }

        return escaped.ToString();
    }

    /// <summary>A value for a message: in quotes, escaped, cut when it is long.</summary>
    public static string Quote(string? value)
    {
        value ??= "";
        return value.Length <= QuoteLimit ? $"'{Escape(value)}'" : $"'{Escape(value[..QuoteLimit])}...' ({value.Length} characters)";
    }

    // A surrogate is looked at with its partner, by the caller; alone it is not printable.
    private static bool IsPrintable(char c) => c is >= ' ' and <= '~' || (c > '~' && CharUnicodeInfo.GetUnicodeCategory(c) is not
        (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned));
}
