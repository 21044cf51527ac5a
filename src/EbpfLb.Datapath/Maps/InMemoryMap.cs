// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Maps;

/// <summary>
/// A hash map in memory with the behaviour of the kernel's: bounded, replaced as a whole, deletion of nothing is no error. It counts
/// operations and can be told to fail.
/// </summary>
/// <param name="name">As in the kernel.</param>
/// <param name="maxEntries">A put of a new key beyond it answers <see cref="MapError.Full"/>.</param>
/// <param name="fault">Asked before each write; null lets it happen.</param>
public sealed class InMemoryMap<TKey, TValue>(string name, uint maxEntries, Func<MapWrite?>? fault = null) : IBpfMap<TKey, TValue>
    where TKey : unmanaged
    where TValue : unmanaged
{
    private readonly Dictionary<TKey, TValue> _entries = [];

    public string Name => name;

    public uint MaxEntries => maxEntries;

    public int Count => _entries.Count;

    public long Puts { get; private set; }

    public long Deletes { get; private set; }

    public bool TryGet(TKey key, out TValue value) => _entries.TryGetValue(key, out value);

    public MapWrite Put(TKey key, in TValue value)
    {
        Puts++;
        if (fault?.Invoke() is { } failed)
            return failed;

        if (_entries.Count >= maxEntries && !_entries.ContainsKey(key))
            return new MapWrite(MapError.Full, "E2BIG");

        _entries[key] = value;
        return MapWrite.Ok;
    }

    public MapWrite Delete(TKey key)
    {
        Deletes++;
        if (fault?.Invoke() is { } failed)
            return failed;

        _entries.Remove(key);
        return MapWrite.Ok;
    }

    public IReadOnlyList<KeyValuePair<TKey, TValue>> ReadAll() => [.. _entries];
}
