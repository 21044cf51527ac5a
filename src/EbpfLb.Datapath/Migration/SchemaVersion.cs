// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using EbpfLb.Datapath.Loading;
using EbpfLb.Datapath.Maps;

namespace EbpfLb.Datapath.Migration;

/// <summary>A map's name in its parts: conntrack_v1 is version 1 of conntrack.</summary>
internal readonly record struct SchemaVersion(string Map, int Version)
{
    private const string Mark = "_v";

    public static bool TryParse(string name, out SchemaVersion version)
    {
        version = default;
        int mark = name.LastIndexOf(Mark, StringComparison.Ordinal);
        if (mark <= 0 || !int.TryParse(name.AsSpan(mark + Mark.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int number))
            return false;

        version = new SchemaVersion(name[..mark], number);
        return true;
    }

    /// <summary>What this build has of the same map.</summary>
    public bool TryFindCurrent(out SchemaVersion current)
    {
        foreach (string name in MapNames.All)
        {
            if (TryParse(name, out current) && current.Map == Map)
                return true;
        }

        current = default;
        return false;
    }

    /// <summary>Earlier versions of a map of this build, as they are pinned; the latest first.</summary>
    public static IEnumerable<string> FindOlder(PinDirectory pins, string name)
    {
        return !TryParse(name, out var own) ? [] : Pinned(pins.Path)
            .Where(found => found.Map == own.Map && found.Version < own.Version)
            .OrderByDescending(found => found.Version)
            .Select(found => found.ToString());
    }

    /// <summary>Before anything is touched: programs of a newer build go by such a map, and this one cannot read it.</summary>
    /// <exception cref="DatapathException">A map was made by a newer build.</exception>
    public static void RefuseNewer(PinDirectory pins)
    {
        foreach (var found in Pinned(pins.Path).Concat(Pinned(pins.Next)).Order(Comparer<SchemaVersion>.Create(
            (one, other) => string.CompareOrdinal(one.Map, other.Map))))
        {
            if (!found.TryFindCurrent(out var current) || found.Version <= current.Version)
                continue;

            throw new DatapathException(
                $"{pins.Map(found.ToString())} is version {found.Version} of {found.Map}; this agent supports it up to version "
                + $"{current.Version}. A newer agent made it, and its programs go on serving what it programmed last. Start that one again, or "
                + "give up its state with 'ebpflb cleanup' and start this one: flows through this node then end.");
        }
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Map}{Mark}{Version}");

    private static IEnumerable<SchemaVersion> Pinned(string directory)
    {
        foreach (string pin in Directory.Exists(directory) ? Directory.GetFiles(directory) : [])
        {
            if (TryParse(Path.GetFileName(pin), out var version))
                yield return version;
        }
    }
}
