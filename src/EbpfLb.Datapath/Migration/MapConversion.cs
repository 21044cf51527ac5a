// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Migration;

/// <summary>One entry in the layout of the next version; false leaves it out.</summary>
public delegate bool EntryConverter(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, Span<byte> newKey, Span<byte> newValue);

/// <summary>How the entries of a map become those of a later version of it.</summary>
/// <param name="From">The name of the earlier version, such as conntrack_v1.</param>
/// <param name="To">That of the later one.</param>
public sealed record MapConversion(string From, string To, EntryConverter Convert)
{
    /// <summary>
    /// Every map has had one version so far. A map whose layout changes without a conversion begins empty: the agent fills it again from its
    /// source, which will do for caches only.
    /// </summary>
    public static IReadOnlyList<MapConversion> All { get; } = [];

    /// <summary>To the same layout, in a map of another size.</summary>
    internal static MapConversion Identity(string map) => new(map, map, static (key, value, newKey, newValue) =>
    {
        key.CopyTo(newKey);
        value.CopyTo(newValue);
        return true;
    });
}
