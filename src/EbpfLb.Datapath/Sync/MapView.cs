// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using EbpfLb.Datapath.Audit;
using EbpfLb.Datapath.Maps;

namespace EbpfLb.Datapath.Sync;

/// <summary>
/// What a map in the kernel holds, as far as the agent knows: the last read, changed by every write that succeeded. A write of what is
/// there already costs no system call; a deletion that failed is remembered until it succeeds or the key is written again.
/// </summary>
internal sealed class MapView<TKey, TValue>(IBpfMap<TKey, TValue> map)
    where TKey : unmanaged, IEquatable<TKey>
    where TValue : unmanaged
{
    private readonly Dictionary<TKey, TValue> _known = [];
    private readonly HashSet<TKey> _undeleted = [];

    public string Name => map.Name;

    public uint MaxEntries => map.MaxEntries;

    public int Count => _known.Count;

    public MapFill Fill => new(Name, (ulong)Count, MaxEntries);

    /// <summary>Writes tried, failed ones included.</summary>
    public long Writes { get; private set; }

    /// <summary>Keys whose deletion failed and that nobody has written since.</summary>
    public IReadOnlyCollection<TKey> Undeleted => _undeleted;

    /// <summary>Of the deletion that failed last.</summary>
    public MapWrite LastRefusal { get; private set; } = MapWrite.Ok;

    public IReadOnlyDictionary<TKey, TValue> Entries => _known;

    public void Load()
    {
        _known.Clear();
        _undeleted.Clear();
        var entries = map.ReadAll();
        _known.EnsureCapacity(entries.Count);
        foreach (var (key, value) in entries)
            _known[key] = value;
    }

    public bool Contains(TKey key) => _known.ContainsKey(key);

    public bool TryGet(TKey key, out TValue value) => _known.TryGetValue(key, out value);

    public MapWrite Put(TKey key, in TValue value)
    {
        if (_known.TryGetValue(key, out var known) && SameBytes(known, value))
        {
            _undeleted.Remove(key);
            return MapWrite.Ok;
        }

        Writes++;
        var result = map.Put(key, value);
        if (!result.Succeeded)
            return result;

        _known[key] = value;
        _undeleted.Remove(key);
        return result;
    }

    public bool Delete(TKey key)
    {
        if (!_known.ContainsKey(key))
            return true;

        Writes++;
        var result = map.Delete(key);
        if (!result.Succeeded)
        {
            LastRefusal = result;
            _undeleted.Add(key);
            return false;
        }

        _known.Remove(key);
        _undeleted.Remove(key);
        return true;
    }

    /// <summary>Tries the failed deletions again.</summary>
    public void DeleteAgain()
    {
        foreach (var key in _undeleted.ToArray())
            Delete(key);
    }

    /// <summary>
    /// Keys whose entry in the kernel is not what is known. What differs in <paramref name="read"/> is looked at again first: it may have
    /// been read before the last write.
    /// </summary>
    /// <param name="isTrie">A look-up in a trie answers with a shorter prefix, so that all of it is read again.</param>
    public IReadOnlyList<MapDrift<TKey>> Drifted(IReadOnlyList<KeyValuePair<TKey, TValue>> read, bool isTrie = false)
    {
        var suspects = Suspects(read);
        if (suspects.Count == 0)
            return [];

        var now = isTrie ? map.ReadAll().ToDictionary() : null;
        var drifted = new List<MapDrift<TKey>>();
        foreach (var key in suspects)
        {
            TValue value = default;
            bool isThere = now is null ? map.TryGet(key, out value) : now.TryGetValue(key, out value);
            bool isKnown = _known.TryGetValue(key, out var known);
            if (isThere != isKnown)
                drifted.Add(new MapDrift<TKey>(key, isKnown ? DivergenceKind.Missing : DivergenceKind.Extra));
            else if (isThere && !SameBytes(known, value))
                drifted.Add(new MapDrift<TKey>(key, DivergenceKind.Changed));
        }

        return drifted;
    }

    /// <summary>Brings the kernel back to what is known of a key that drifted.</summary>
    public MapWrite Mend(TKey key)
    {
        Writes++;
        return _known.TryGetValue(key, out var known) ? map.Put(key, known) : map.Delete(key);
    }

    /// <summary>As it is in the kernel, whatever is known.</summary>
    public bool TryRead(TKey key, out TValue value) => map.TryGet(key, out value);

    private List<TKey> Suspects(IReadOnlyList<KeyValuePair<TKey, TValue>> read)
    {
        var suspects = new List<TKey>();
        int same = 0;
        foreach (var (key, value) in read)
        {
            if (_known.TryGetValue(key, out var known) && SameBytes(known, value))
                same++;
            else
                suspects.Add(key);
        }

        if (same >= _known.Count)
            return suspects;

        var seen = read.Select(entry => entry.Key).ToHashSet();
        suspects.AddRange(_known.Keys.Where(key => !seen.Contains(key)));
        return suspects;
    }

    // Pads are part of what the kernel compares and shows, so the bytes decide, not the fields.
    private static bool SameBytes(in TValue left, in TValue right) =>
        MemoryMarshal.AsBytes(new ReadOnlySpan<TValue>(in left)).SequenceEqual(MemoryMarshal.AsBytes(new ReadOnlySpan<TValue>(in right)));
}

/// <summary>A key whose entry in the kernel is not what was written last.</summary>
internal readonly record struct MapDrift<TKey>(TKey Key, DivergenceKind Kind);
