// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Collections.Immutable;

namespace EbpfLb.FakeApi.Store;

/// <summary>The objects of one resource and what happened to them last. The store's lock guards it.</summary>
internal sealed class Collection(int historyLimit)
{
    private readonly List<StoreEvent> _history = [];

    public ImmutableSortedDictionary<string, StoredObject> Items { get; private set; } =
        ImmutableSortedDictionary.Create<string, StoredObject>(StringComparer.Ordinal);

    /// <summary>A watch may begin here or later.</summary>
    public long OldestVersion { get; private set; }

    /// <summary>Of the last change that is not known any more: a watch that got that far has missed nothing.</summary>
    public long LastForgotten { get; private set; }

    public void Apply(StoreEvent change)
    {
        Items = change.After is { } item ? Items.SetItem(item.Key, item) : Items.Remove(change.Before!.Key);
        _history.Add(change);
        if (_history.Count > historyLimit * 2)
            Forget(_history.Count - historyLimit);
    }

    /// <summary>Objects that a watch is told of when it begins, not afterwards.</summary>
    public void Load(IEnumerable<StoredObject> items, long version)
    {
        Items = Items.SetItems(items.Select(item => KeyValuePair.Create(item.Key, item)));
        ForgetUntil(version);
    }

    public void ForgetUntil(long version)
    {
        Forget(_history.Count);
        OldestVersion = version;
    }

    /// <summary>What happened after a version, oldest first.</summary>
    public StoreEvent[] After(long version)
    {
        int low = 0;
        int high = _history.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_history[middle].ResourceVersion <= version)
                low = middle + 1;
            else
                high = middle;
        }
        return [.. _history[low..]];
    }

    private void Forget(int count)
    {
        if (count == 0)
            return;
        OldestVersion = LastForgotten = _history[count - 1].ResourceVersion;
        _history.RemoveRange(0, count);
    }
}
