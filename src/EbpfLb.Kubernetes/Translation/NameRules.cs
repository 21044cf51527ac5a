// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers;

namespace EbpfLb.Kubernetes.Translation;

/// <summary>The names the API server lets in. What passes here needs no escaping anywhere further down.</summary>
internal static class NameRules
{
    public const string ObjectNameRule =
        "must be lower-case letters, digits, '-' and '.', at most 253 of them, first and last a letter or digit";

    public const string PortNameRule =
        "must be lower-case letters, digits and '-', at most 63 of them, first and last a letter or digit";

    private static readonly SearchValues<char> ObjectNameCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-.");

    private static readonly SearchValues<char> PortNameCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    /// <summary>Services, slices, nodes and namespaces; the differences between their rules do not matter here.</summary>
    public static bool IsObjectName(string text) =>
        text.Length is > 0 and <= 253 && !text.AsSpan().ContainsAnyExcept(ObjectNameCharacters) && HasFirmEnds(text);

    public static bool IsPortName(string text) =>
        text.Length is > 0 and <= 63 && !text.AsSpan().ContainsAnyExcept(PortNameCharacters) && HasFirmEnds(text);

    private static bool HasFirmEnds(string text) => char.IsAsciiLetterOrDigit(text[0]) && char.IsAsciiLetterOrDigit(text[^1]);
}
