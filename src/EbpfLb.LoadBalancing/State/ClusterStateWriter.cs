// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Collections.Frozen;
using System.Collections.Immutable;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.LoadBalancing.State;

/// <summary>
/// Where the sources put what they see and the reconcile loop takes it. Any thread may call any member.
/// </summary>
/// <remarks>
/// The state is kept in builders of immutable dictionaries. A builder writes in place until the next <see cref="Take"/>, which only
/// marks its nodes as shared: a bulk load costs no copies, a take costs what the batch before it changed, and a change after it copies
/// one path of the tree. A plain dictionary would have to be copied, or locked while the loop reads it. The slices of one service are
/// a sorted array, replaced as a whole: services have few slices, and this is the smallest form to keep and the fastest to read.
/// </remarks>
public sealed class ClusterStateWriter
{
    // Nobody takes them as long as another source cannot list; and they are for a histogram, which so many fill.
    internal const int MaxTriggers = 65_536;

    private readonly Lock _gate = new();

    // Everything below is read and written with _gate held.
    private readonly ImmutableDictionary<ObjectName, Service>.Builder _services =
        ImmutableDictionary.CreateBuilder<ObjectName, Service>();

    private readonly ImmutableDictionary<ObjectName, ImmutableArray<EndpointSlice>>.Builder _slices =
        ImmutableDictionary.CreateBuilder<ObjectName, ImmutableArray<EndpointSlice>>();

    private readonly Dictionary<ObjectName, ObjectName> _serviceOfSlice = [];
    private readonly Dictionary<string, SourceProgress> _sources = new(StringComparer.Ordinal);
    private readonly HashSet<string> _serviceCidrSources = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ServiceCidr> _serviceCidrs = new(StringComparer.Ordinal);
    private Node? _node;
    private bool _serviceCidrsDirty;
    private HashSet<ObjectName> _dirty = [];
    private List<ChangeTrigger> _triggers = [];
    private int _serviceChanges;
    private int _sliceChanges;
    private bool _allDirty;
    private bool _openingTaken;
    private ClusterState _taken = ClusterState.Empty;

    // Set as long as there is something to take, so a waiter that comes late misses nothing.
    private TaskCompletionSource _news = NewSignal();

    /// <summary>
    /// Told, with the state locked, whenever something becomes ready to be taken and nothing was before. Must not call back.
    /// </summary>
    public Action? Queued { get; set; }

    /// <summary>Changes of services and of slices that were applied and not yet taken.</summary>
    public (int Services, int Slices) Pending
    {
        get
        {
            lock (_gate)
                return (_serviceChanges, _sliceChanges);
        }
    }

    /// <summary>True once there is a source and every source has told all it has, those of service CIDRs as far as they can.</summary>
    public bool IsComplete
    {
        get
        {
            lock (_gate)
                return Complete;
        }
    }

    // What is not known of service CIDRs is no reason to keep services that went.
    private bool Complete => Listed && _sources.All(
        source => source.Value == SourceProgress.Complete || _serviceCidrSources.Contains(source.Key));

    private bool ServiceCidrsArePartial => _serviceCidrSources.Any(source => _sources[source] != SourceProgress.Complete);

    private bool Listed => _sources.Count > 0 && !_sources.ContainsValue(SourceProgress.Listing);

    /// <summary>From here on nothing is handed out until this source has listed. Register every source before any of them starts.</summary>
    /// <param name="onlyServiceCidrs">Nothing else comes from it: what it cannot tell says nothing about services.</param>
    public void RegisterSource(string source, bool onlyServiceCidrs = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(source);
        lock (_gate)
        {
            if (!_sources.TryAdd(source, SourceProgress.Listing))
                throw new ArgumentException($"Source '{source}' is registered already.", nameof(source));

            if (onlyServiceCidrs)
                _serviceCidrSources.Add(source);
            _openingTaken = false;
        }
    }

    /// <param name="complete">
    /// True once all that the source has is applied; false when it listed, but a part of it cannot be read: what is known is handed out,
    /// and nothing may be concluded from what is missing. A source that merely lost its connection stays as it was; what it saw last
    /// remains in force.
    /// </param>
    public void SetListed(string source, bool complete)
    {
        ArgumentNullException.ThrowIfNull(source);
        lock (_gate)
        {
            if (!_sources.TryGetValue(source, out var before))
                throw new ArgumentException($"Source '{source}' is not registered.", nameof(source));

            var progress = complete ? SourceProgress.Complete : SourceProgress.Partial;
            _sources[source] = progress;
            if (progress != before)
            {
                _openingTaken = false;
                _serviceCidrsDirty |= _serviceCidrSources.Contains(source);
            }

            SignalIfNews();
        }
    }

    public void Apply(ClusterChange change)
    {
        ArgumentNullException.ThrowIfNull(change);
        lock (_gate)
        {
            foreach (var name in change.RemovedServices)
            {
                if (_services.Remove(name))
                {
                    _dirty.Add(name);
                    _serviceChanges++;
                }
            }

            foreach (var name in change.RemovedSlices)
                RemoveSlice(name);

            foreach (var service in change.UpsertedServices)
                Upsert(service);

            foreach (var slice in change.UpsertedSlices)
                Upsert(slice);

            foreach (string name in change.RemovedServiceCidrs)
                _serviceCidrsDirty |= _serviceCidrs.Remove(name);

            foreach (var cidr in change.UpsertedServiceCidrs)
                Upsert(cidr);

            if (change.Node is { } node && node.Node != _node)
            {
                _node = node.Node;
                _allDirty = true;
            }

            SignalIfNews();
        }
    }

    /// <summary>
    /// Hands over what changed since the last call. Until every source has listed it hands out nothing and keeps what changed, so a
    /// caller that acts on whatever it gets never acts on half a list.
    /// </summary>
    public ClusterDelta Take()
    {
        lock (_gate)
        {
            if (_news.Task.IsCompleted)
                _news = NewSignal();

            if (!Listed)
                return new ClusterDelta(_taken, FrozenSet<ObjectName>.Empty, IsComplete: false, IsListed: false);

            var dirty = _dirty;
            var delta = new ClusterDelta(_taken, dirty, Complete, IsListed: true)
            {
                Triggers = _triggers,
                ServiceChanges = _serviceChanges,
                SliceChanges = _sliceChanges,
            };
            if (_allDirty)
                dirty.UnionWith(_services.Keys);

            if (dirty.Count > 0 || _allDirty || _serviceCidrsDirty)
                _taken = new ClusterState(_services.ToImmutable(), _slices.ToImmutable(), _node, MergedServiceCidrs(), ServiceCidrsArePartial);

            _dirty = [];
            _triggers = [];
            _serviceChanges = _sliceChanges = 0;
            _allDirty = false;
            _serviceCidrsDirty = false;
            _openingTaken = true;
            return delta with { State = _taken };
        }
    }

    /// <summary>
    /// Completes when there is something to take: changes, or the progress of a source. Any number of changes before
    /// a take are one signal. A take rearms it.
    /// </summary>
    public Task WaitAsync(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return Task.FromCanceled(cancellationToken);

        lock (_gate)
            return _news.Task.WaitAsync(cancellationToken);
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void SignalIfNews()
    {
        if (Listed && (_dirty.Count > 0 || _allDirty || _serviceCidrsDirty || !_openingTaken) && _news.TrySetResult())
            Queued?.Invoke();
    }

    private EquatableArray<AddressPrefix> MergedServiceCidrs() =>
        _serviceCidrs.Values.SelectMany(static cidr => (IEnumerable<AddressPrefix>)cidr.Prefixes).Distinct().Order().ToEquatableArray();

    private void Upsert(ServiceCidr cidr)
    {
        if (_serviceCidrs.TryGetValue(cidr.Name, out var known) && known == cidr)
            return;

        _serviceCidrs[cidr.Name] = cidr;
        _serviceCidrsDirty = true;
    }

    private void Upsert(Service service)
    {
        if (_services.TryGetValue(service.Name, out var known) && known == service)
            return;

        _services[service.Name] = service;
        _dirty.Add(service.Name);
        _serviceChanges++;
    }

    private void Upsert(EndpointSlice slice)
    {
        if (_serviceOfSlice.TryGetValue(slice.Name, out var owner) && owner != slice.Service)
            RemoveSlice(slice.Name);

        var slices = _slices.GetValueOrDefault(slice.Service, []);
        int index = IndexOf(slices, slice.Name);
        if (index >= 0 && slices[index] == slice)
            return;

        _sliceChanges++;
        if (_triggers.Count < MaxTriggers && slice.LastChangeTrigger is { } trigger
            && (index < 0 || slices[index].LastChangeTrigger != trigger))
            _triggers.Add(new ChangeTrigger(slice.Family, trigger));

        _slices[slice.Service] = index >= 0 ? slices.SetItem(index, slice) : slices.Insert(~index, slice);
        _serviceOfSlice[slice.Name] = slice.Service;
        _dirty.Add(slice.Service);
    }

    private void RemoveSlice(ObjectName name)
    {
        if (!_serviceOfSlice.Remove(name, out var service))
            return;

        _sliceChanges++;

        var slices = _slices[service];
        if (slices.Length == 1)
            _slices.Remove(service);
        else
            _slices[service] = slices.RemoveAt(IndexOf(slices, name));
        _dirty.Add(service);
    }

    // The complement of where it belongs when it is not there.
    private static int IndexOf(ImmutableArray<EndpointSlice> slices, ObjectName name)
    {
        int low = 0;
        int high = slices.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            int order = slices[middle].Name.CompareTo(name);
            if (order == 0)
                return middle;

            if (order < 0)
                low = middle + 1;
            else
                high = middle - 1;
        }

        return ~low;
    }

    private enum SourceProgress
    {
        Listing,
        Partial,
        Complete,
    }
}
