// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Maps;

/// <summary>A hash map or a trie of the contract, in the kernel or in memory.</summary>
public interface IBpfMap<TKey, TValue>
    where TKey : unmanaged
    where TValue : unmanaged
{
    string Name { get; }

    uint MaxEntries { get; }

    bool TryGet(TKey key, out TValue value);

    /// <summary>Inserts or replaces. A reader of the map sees the old value or the new one.</summary>
    MapWrite Put(TKey key, in TValue value);

    /// <summary>A key that is not there is success.</summary>
    MapWrite Delete(TKey key);

    /// <summary>Every entry, each once unless programs write meanwhile.</summary>
    IReadOnlyList<KeyValuePair<TKey, TValue>> ReadAll();
}

/// <summary>The result of a write: nothing to do about <see cref="None"/>; the rest are named by their cause.</summary>
public enum MapError
{
    None = 0,

    /// <summary>E2BIG, in a trie ENOSPC: every entry is taken. Only a deletion, or a larger map, helps.</summary>
    Full,

    /// <summary>ENOMEM: may pass.</summary>
    OutOfMemory,

    /// <summary>Any other errno.</summary>
    Failed,
}

/// <param name="Error">What went wrong.</param>
/// <param name="ErrnoName">For messages, such as "EPERM"; empty when nothing went wrong.</param>
public readonly record struct MapWrite(MapError Error, string ErrnoName)
{
    public static readonly MapWrite Ok = new(MapError.None, "");

    public bool Succeeded => Error == MapError.None;
}
