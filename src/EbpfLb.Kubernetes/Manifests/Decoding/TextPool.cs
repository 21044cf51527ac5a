// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Manifests.Decoding;

/// <summary>
/// One instance of each text that many objects repeat and the model keeps: namespaces, zones, node, port and service names. Not for
/// several threads.
/// </summary>
internal sealed class TextPool
{
    // Far more than a cluster has of them; a file full of different texts must not make the pool its own leak.
    private const int Limit = 32 * 1024;

    private readonly HashSet<string> _texts = new(StringComparer.Ordinal);

    public string? Share(string? text)
    {
        if (text is null)
            return null;

        if (_texts.TryGetValue(text, out string? shared))
            return shared;

        if (_texts.Count >= Limit)
            _texts.Clear();
        _texts.Add(text);
        return text;
    }

    /// <summary>Allocates nothing for a text that is there already.</summary>
    public string Share(ReadOnlySpan<char> text) =>
        _texts.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(text, out string? shared) ? shared : Share(text.ToString())!;
}
