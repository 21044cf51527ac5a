// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Kubernetes.Api.Reflection;

/// <summary>
/// Which objects there are, and of which version: what is told twice, late or out of order is recognized here. Versions of one server
/// are numbers that grow; one that is no number is null, and then the later word counts.
/// </summary>
internal sealed class ObjectTable
{
    private const int MaxGone = 4096;

    private readonly Dictionary<ObjectName, Entry> _objects = [];

    // Events of an object may come after that of its deletion. Forgotten when it is too much, or with the next list.
    private readonly Dictionary<ObjectName, Entry> _gone = [];

    private int _list;
    private bool _listing;

    public int Count => _objects.Count;

    /// <summary>From here on everything that exists is told.</summary>
    public void BeginList()
    {
        _list++;
        _listing = true;
        _gone.Clear();
    }

    /// <summary>What was told of the list is known; nothing follows from what was not.</summary>
    public void AbandonList() => _listing = false;

    /// <returns>What is no longer there.</returns>
    public IReadOnlyList<ObjectName> EndList()
    {
        _listing = false;
        ObjectName[] missing = [.. _objects.Where(entry => entry.Value.List != _list).Select(entry => entry.Key)];
        foreach (var name in missing)
            _objects.Remove(name);
        return missing;
    }

    public Verdict Upsert(ObjectName name, string? uid, ulong? version)
    {
        bool isKnown = _objects.TryGetValue(name, out var known);

        // A list replaces what was known before it, also by older versions: a restored etcd counts from lower again.
        if (isKnown && (!_listing || known.List == _list) && (known.IsNewerThan(version) || known.Is(uid, version)))
            return Verdict.Stale;

        // The same object may come back: deleted is also what no longer has the labels that are asked for.
        if (!isKnown && _gone.TryGetValue(name, out var gone) && (gone.IsNewerThan(version) || gone.Is(uid, version)))
            return Verdict.Stale;

        _objects[name] = new Entry(uid, version, _list);
        _gone.Remove(name);
        return isKnown && known.Uid is not null && uid is not null && known.Uid != uid ? Verdict.Recreated : Verdict.Current;
    }

    /// <returns>False when there is no such object, or it is another one by now.</returns>
    public bool Delete(ObjectName name, string? uid, ulong? version)
    {
        bool isKnown = _objects.TryGetValue(name, out var known);
        if (isKnown && !known.HasUid(uid) && known.IsNewerThan(version))
            return false;

        _objects.Remove(name);
        if (_gone.Count >= MaxGone)
            _gone.Clear();
        if (isKnown && known.IsNewerThan(version))
            version = known.Version;
        if (!_gone.TryGetValue(name, out var gone) || !gone.IsNewerThan(version))
            _gone[name] = new Entry(uid, version, _list);
        return isKnown;
    }

    private readonly record struct Entry(string? Uid, ulong? Version, int List)
    {
        public bool IsNewerThan(ulong? version) => Version > version;

        public bool Is(string? uid, ulong? version) => Version is not null && Version == version && (Uid == uid || uid is null);

        public bool HasUid(string? uid) => uid is not null && Uid == uid;
    }
}

internal enum Verdict : byte
{
    /// <summary>Told before, or older than what is known.</summary>
    Stale,

    Current,

    /// <summary>Current, and another object than the one of this name before.</summary>
    Recreated,
}
