// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text;
using EbpfLb.Kubernetes.Manifests.Decoding;

namespace EbpfLb.Kubernetes.Api.Wire.Protobuf;

internal static class SharedText
{
    /// <summary>Longer than any name of the API: what is longer is not worth a place in a pool.</summary>
    public const int MaxBytes = 320;

    /// <summary>Allocates nothing for a text that the pool has.</summary>
    public static string Share(this TextPool texts, ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > MaxBytes)
            return Encoding.UTF8.GetString(utf8);

        Span<char> text = stackalloc char[MaxBytes];
        return texts.Share(text[..Encoding.UTF8.GetChars(utf8, text)]);
    }
}
