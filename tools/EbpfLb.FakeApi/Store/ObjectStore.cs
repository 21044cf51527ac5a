// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace EbpfLb.FakeApi.Store;

/// <summary>
/// All objects under one resource version. Validates nothing: it keeps what a real server would refuse. Any thread may call it.
/// </summary>
public sealed class ObjectStore(TimeProvider time, int historyLimit)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ResourceType, Collection> _collections =
        ResourceType.All.ToDictionary(type => type, _ => new Collection(historyLimit));

    private long _version = 100;

    /// <summary>Told after each change, from the thread that made it. Must be quick.</summary>
    internal event Action? Changed;

    public long ResourceVersion => Interlocked.Read(ref _version);

    public StoredObject? Find(ResourceType type, string @namespace, string name)
    {
        lock (_lock)
            return _collections[type].Items.GetValueOrDefault($"{@namespace}/{name}");
    }

    /// <summary>In the order of namespace and name.</summary>
    public (ImmutableSortedDictionary<string, StoredObject> Items, long ResourceVersion) Snapshot(ResourceType type)
    {
        lock (_lock)
            return (_collections[type].Items, _version);
    }

    /// <summary>Creates or replaces.</summary>
    public StoreEvent Put(Builders.ObjectBuilder builder) => Put(builder.Type, builder.Build());

    /// <summary>Creates or replaces. The JSON is the caller's no more.</summary>
    public StoreEvent Put(ResourceType type, JsonObject json) => Change(type, json, (_, _) => null, out _)!;

    /// <summary>The change, or null and the object that is there.</summary>
    public StoreEvent? Create(ResourceType type, JsonObject json, out StoredObject? present) =>
        Change(type, json, (before, _) => before, out present);

    /// <summary>The change, or null and the object that is there: none, or one of another version than the JSON names.</summary>
    public StoreEvent? Replace(ResourceType type, JsonObject json, out StoredObject? present)
    {
        bool missing = false;
        var change = Change(type, json, (before, wanted) =>
        {
            missing = before is null;
            return missing || (wanted.ResourceVersion != 0 && wanted.ResourceVersion != before!.ResourceVersion)
                ? before ?? wanted
                : null;
        }, out present);
        present = missing ? null : present;
        return change;
    }

    /// <summary>Null if there is no such object.</summary>
    public StoreEvent? Update(ResourceType type, string @namespace, string name, Action<JsonObject> change)
    {
        StoreEvent result;
        lock (_lock)
        {
            if (_collections[type].Items.GetValueOrDefault($"{@namespace}/{name}") is not { } before)
                return null;
            long version = _version + 1;
            var after = before.With(json =>
            {
                change(json);
                var metadata = StoredObject.Metadata(json);
                metadata["name"] = name;
                if (type.Namespaced)
                    metadata["namespace"] = @namespace;
                metadata["resourceVersion"] = StoredObject.Text64(version);
            });
            result = Apply(new StoreEvent(before, after, version));
        }
        Changed?.Invoke();
        return result;
    }

    /// <summary>Null if there was no such object.</summary>
    public StoreEvent? Delete(ResourceType type, string @namespace, string name)
    {
        StoreEvent result;
        lock (_lock)
        {
            if (_collections[type].Items.GetValueOrDefault($"{@namespace}/{name}") is not { } before)
                return null;
            result = Apply(new StoreEvent(before, null, _version + 1));
        }
        Changed?.Invoke();
        return result;
    }

    /// <summary>Creates or replaces an object of which the bytes are made by the caller.</summary>
    public StoreEvent Put(Func<long, StoredObject> encode)
    {
        StoreEvent result;
        lock (_lock)
        {
            var after = encode(_version + 1);
            var before = _collections[after.Type].Items.GetValueOrDefault(after.Key);
            result = Apply(new StoreEvent(before, after, _version + 1));
        }
        Changed?.Invoke();
        return result;
    }

    /// <summary>Many objects at once, of which no watch that is open is told: for a cluster that was there before.</summary>
    public void Load(ResourceType type, IEnumerable<Func<long, StoredObject>> encoders)
    {
        lock (_lock)
        {
            long version = _version;
            var items = encoders.Select(encode => encode(++version)).ToList();
            _collections[type].Load(items, version);
            _version = version;
        }
    }

    /// <summary>Forgets what happened: a watch from before now is told that it is too old.</summary>
    public void Compact()
    {
        lock (_lock)
        {
            _version++;
            foreach (var collection in _collections.Values)
                collection.ForgetUntil(_version);
        }
    }

    /// <summary>A version at which nothing changed, as changes of other resources make.</summary>
    public long Advance()
    {
        lock (_lock)
            return ++_version;
    }

    /// <summary>What happened after a version, and the version until which it is all; null if it is too old to know.</summary>
    /// <param name="goesOn">For a watch that got that far, not for one that begins there.</param>
    internal (StoreEvent[] Events, long Version)? After(ResourceType type, long version, bool goesOn)
    {
        lock (_lock)
        {
            var collection = _collections[type];
            return version < (goesOn ? collection.LastForgotten : collection.OldestVersion) ? null : (collection.After(version), _version);
        }
    }

    private StoreEvent? Change(
        ResourceType type, JsonObject json, Func<StoredObject?, StoredObject, StoredObject?> obstacle, out StoredObject? present)
    {
        StoreEvent result;
        lock (_lock)
        {
            var metadata = StoredObject.Metadata(json);
            if (metadata["name"] is null && metadata["generateName"]?.ToString() is { } prefix)
                metadata["name"] = $"{prefix}{_version + 1:x5}";
            if (type.Namespaced && metadata["namespace"] is null)
                metadata["namespace"] = "default";
            var wanted = new StoredObject(type, json);
            var before = _collections[type].Items.GetValueOrDefault(wanted.Key);
            present = obstacle(before, wanted);
            if (present is not null)
                return null;
            var old = before?.Json["metadata"] as JsonObject;
            metadata["uid"] ??= old?["uid"]?.DeepClone() ?? Guid.NewGuid().ToString();
            metadata["creationTimestamp"] ??= old?["creationTimestamp"]?.DeepClone()
                ?? time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");
            metadata["resourceVersion"] = StoredObject.Text64(_version + 1);
            result = Apply(new StoreEvent(before, new StoredObject(type, json), _version + 1));
        }
        Changed?.Invoke();
        return result;
    }

    private StoreEvent Apply(StoreEvent change)
    {
        _collections[(change.After ?? change.Before)!.Type].Apply(change);
        _version = change.ResourceVersion;
        return change;
    }
}
