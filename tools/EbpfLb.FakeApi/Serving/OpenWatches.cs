// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.FakeApi.Builders;
using EbpfLb.FakeApi.Faults;
using EbpfLb.FakeApi.Store;

namespace EbpfLb.FakeApi.Serving;

/// <summary>
/// The watches that run, and what they can be made to send although nothing of the sort happened. Any thread may call it.
/// </summary>
public sealed class OpenWatches
{
    private readonly ObjectStore _store;
    private readonly Lock _lock = new();
    private readonly HashSet<OpenWatch> _watches = [];

    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal OpenWatches(ObjectStore store) => _store = store;

    public int Count(ResourceType type)
    {
        lock (_lock)
            return _watches.Count(watch => watch.Type == type);
    }

    /// <summary>Returns once so many watches of the resource have sent what there was when they began.</summary>
    public async Task WaitAsync(ResourceType type, int count, CancellationToken cancellation)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (_watches.Count(watch => watch.Type == type && watch.HasCaughtUp) >= count)
                    return;
                changed = _changed.Task;
            }
            await changed.WaitAsync(cancellation);
        }
    }

    /// <summary>An event as the object is, whatever the store says: stale, twice, of an object that never was.</summary>
    public void Send(EventType type, StoredObject item) => Tell(item.Type, new WatchCommand.Send(type, item));

    public void Send(EventType type, ObjectBuilder builder) => Send(type, new StoredObject(builder.Type, builder.Build()));

    /// <summary>Bytes as they are, without a frame.</summary>
    public void SendRaw(ResourceType type, byte[] bytes) => Tell(type, new WatchCommand.SendRaw(bytes));

    /// <summary>To those that asked for bookmarks.</summary>
    public void SendBookmark(ResourceType type) => Tell(type, new WatchCommand.SendBookmark());

    /// <param name="status">Of <see cref="WatchEnding.Error"/>.</param>
    public void Finish(ResourceType type, WatchEnding ending, ApiStatus? status = null) =>
        Tell(type, new WatchCommand.Finish(ending, status));

    internal void Add(OpenWatch watch)
    {
        lock (_lock)
            _watches.Add(watch);
    }

    internal void CaughtUp()
    {
        lock (_lock)
        {
            _changed.SetResult();
            _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    internal void Remove(OpenWatch watch)
    {
        lock (_lock)
            _watches.Remove(watch);
    }

    private void Tell(ResourceType type, WatchCommand command)
    {
        lock (_lock)
        {
            long version = _store.ResourceVersion;
            foreach (var watch in _watches.Where(watch => watch.Type == type))
                watch.Post(command, version);
        }
    }
}
