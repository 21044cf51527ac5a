// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers;
using System.Globalization;

namespace EbpfLb.Kubernetes.Manifests.Tree;

/// <summary>
/// What an unquoted YAML scalar is. Kubernetes reads YAML 1.1, so <c>yes</c> and <c>off</c> are booleans and 010 is eight: the rules
/// here are the same, or a file would mean one thing to kubectl and another to the agent.
/// </summary>
internal static class PlainScalar
{
    private static readonly SearchValues<char> NumberCharacters = SearchValues.Create("0123456789+-.eE_");

    public static ScalarKind KindOf(string text)
    {
        if (text.Length == 0)
            return ScalarKind.Null;

        return text[0] switch
        {
            '~' or 'n' or 'N' or 'y' or 'Y' or 't' or 'T' or 'f' or 'F' or 'o' or 'O' => KindOfWord(text),
            (>= '0' and <= '9') or '+' or '-' or '.' => KindOfNumber(text),
            _ => ScalarKind.String,
        };
    }

    public static bool IsTrue(string text) => text[0] is 't' or 'T' or 'y' or 'Y' || text is "on" or "On" or "ON";

    /// <summary>Decimal, 0x, 0o or 0b, and octal after a leading 0; '_' between digits means nothing.</summary>
    public static bool TryParseInteger(string text, out long value)
    {
        value = 0;
        string plain = text.Contains('_', StringComparison.Ordinal) ? text.Replace("_", "", StringComparison.Ordinal) : text;
        bool negative = plain.StartsWith('-');
        var digits = plain.AsSpan(negative || plain.StartsWith('+') ? 1 : 0);
        if (digits.Length < 2 || digits[0] != '0')
            return long.TryParse(plain, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);

        bool parsed = digits[1] switch
        {
            'x' or 'X' => TryParseDigits(digits[2..], 16, out value),
            'o' or 'O' => TryParseDigits(digits[2..], 8, out value),
            'b' or 'B' => TryParseDigits(digits[2..], 2, out value),
            _ => TryParseDigits(digits[1..], 8, out value),
        };
        value = negative ? -value : value;
        return parsed;
    }

    private static ScalarKind KindOfWord(string text) => text switch
    {
        "~" or "null" or "Null" or "NULL" => ScalarKind.Null,
        "true" or "True" or "TRUE" or "yes" or "Yes" or "YES" or "y" or "Y" or "on" or "On" or "ON" => ScalarKind.Boolean,
        "false" or "False" or "FALSE" or "no" or "No" or "NO" or "n" or "N" or "off" or "Off" or "OFF" => ScalarKind.Boolean,
        _ => ScalarKind.String,
    };

    private static ScalarKind KindOfNumber(string text)
    {
        if (TryParseInteger(text, out _))
            return ScalarKind.Integer;

        if (text.AsSpan().TrimStart("+-") is ".inf" or ".Inf" or ".INF" || text is ".nan" or ".NaN" or ".NAN")
            return ScalarKind.Float;

        return !text.AsSpan().ContainsAnyExcept(NumberCharacters)
            && double.TryParse(text.Replace("_", "", StringComparison.Ordinal), NumberStyles.Float, CultureInfo.InvariantCulture, out _)
            ? ScalarKind.Float
            : ScalarKind.String;
    }

    private static bool TryParseDigits(ReadOnlySpan<char> digits, int radix, out long value)
    {
        value = 0;
        foreach (char c in digits)
        {
            int digit = char.IsAsciiHexDigit(c) ? Convert.ToInt32(c.ToString(), 16) : radix;
            if (digit >= radix || value > (long.MaxValue - digit) / radix)
                return false;

            value = (value * radix) + digit;
        }

        return digits.Length > 0;
    }
}
