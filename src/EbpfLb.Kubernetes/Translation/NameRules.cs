// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers;

namespace EbpfLb.Kubernetes.Translation;

/// <summary>
/// The rules of the API server for names, per kind where they differ. What passes here needs no escaping anywhere further down, and
/// namespace, service and port name together fit the map's field for them.
/// </summary>
internal static class NameRules
{
    public const string ObjectNameRule =
        "must be lower-case letters, digits, '-' and '.', at most 253 of them, first and last a letter or digit";

    public const string LabelRule =
        "must be lower-case letters, digits and '-', at most 63 of them, first and last a letter or digit";

    private const int MaxObjectName = 253;

    private const int MaxLabel = 63;

    private static readonly SearchValues<char> ObjectNameCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-.");

    private static readonly SearchValues<char> LabelCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    /// <summary>Slices and nodes. That each part between dots must be a label of its own does not matter here.</summary>
    public static bool IsObjectName(string text) =>
        text.Length is > 0 and <= MaxObjectName && !text.AsSpan().ContainsAnyExcept(ObjectNameCharacters) && HasFirmEnds(text);

    /// <summary>
    /// Services, namespaces and ports: a label of RFC 1123. Older API servers want a letter first in a Service's name, newer ones do not.
    /// </summary>
    public static bool IsLabel(string text) =>
        text.Length is > 0 and <= MaxLabel && !text.AsSpan().ContainsAnyExcept(LabelCharacters) && HasFirmEnds(text);

    private static bool HasFirmEnds(string text) => char.IsAsciiLetterOrDigit(text[0]) && char.IsAsciiLetterOrDigit(text[^1]);
}
