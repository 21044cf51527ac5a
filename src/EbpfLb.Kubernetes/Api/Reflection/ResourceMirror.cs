// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using EbpfLb.Kubernetes.Api.Wire;
using EbpfLb.Kubernetes.Translation;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.State;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Kubernetes.Api.Reflection;

/// <summary>
/// Keeps the part of the cluster state that comes from one resource equal to what the server tells. One task calls it, but for
/// <see cref="ListWithout"/>.
/// </summary>
internal sealed class ResourceMirror
{
    private static readonly ObjectName Unreadable = new("", "that cannot be read");

    private readonly ApiResource _resource;
    private readonly ObjectTranslation _translation;
    private readonly ClusterStateWriter _writer;
    private readonly ProblemBook _problems;
    private readonly ILogger _logger;
    private readonly ObjectTable _objects = new();
    private readonly PendingChange _pending = new();
    private readonly Lock _gate = new();

    // Written with _gate held. Once complete, the source stays so: a connection that is lost takes nothing back.
    private bool _isComplete;
    private bool _isListed;

    /// <param name="writer">Gets the resource registered as a source at once.</param>
    public ResourceMirror(
        ApiResource resource, ObjectTranslation translation, ClusterStateWriter writer, ProblemBook problems, ILogger logger)
    {
        _resource = resource;
        _translation = translation;
        _writer = writer;
        _problems = problems;
        _logger = logger;
        writer.RegisterSource(resource.Name, onlyServiceCidrs: resource.Kind == ResourceKind.ServiceCidr);
    }

    public int Count => _objects.Count;

    /// <summary>Since the last list began there was an object of which not even the name could be read.</summary>
    public bool HasUnreadable { get; private set; }

    /// <summary>The state is handed out, with or without what this resource has.</summary>
    public bool IsListed
    {
        get
        {
            lock (_gate)
                return _isListed;
        }
    }

    /// <summary>Everything that exists follows. Until <see cref="EndList"/> nothing is removed for not being there.</summary>
    public void BeginList()
    {
        _objects.BeginList();
        HasUnreadable = false;
    }

    public void AbandonList() => _objects.AbandonList();

    public void EndList()
    {
        if (HasUnreadable)
        {
            _objects.AbandonList();
        }
        else
        {
            foreach (var name in _objects.EndList())
                Forget(name);
            _problems.SetObject(_resource.Kind, Unreadable, null);
        }

        Publish();
        SetListed(complete: !HasUnreadable);
    }

    /// <summary>Served without this resource as long as it cannot be had. Any thread may call it.</summary>
    /// <param name="complete">There is nothing of it; otherwise nothing may be concluded.</param>
    public void ListWithout(bool complete)
    {
        lock (_gate)
        {
            if (!_isListed)
                SetListed(complete);
        }
    }

    public void Take(ListPage page)
    {
        foreach (var item in page.Items)
            Upsert(item);
        foreach (var defect in page.Defects)
            TakeUnreadable(defect);
    }

    /// <summary>Of one of the three types that tell of an object.</summary>
    public void Take(WatchEvent told)
    {
        var metadata = told.Object?.Metadata ?? told.Defect?.Metadata;
        if (told.Type == WatchEventType.Deleted && _translation.TryGetName(metadata, out var name))
        {
            if (_objects.Delete(name, metadata!.Uid, Number(metadata.ResourceVersion)))
                Forget(name);
        }
        else if (told.Object is { } item)
            Upsert(item);
        else
            TakeUnreadable(told.Defect ?? WireDefect.Of(null, "an event without an object"));
    }

    /// <summary>What was taken becomes visible.</summary>
    public void Publish()
    {
        if (!_pending.IsEmpty)
        {
            var change = _pending.Take(_resource.Kind);
            _writer.Apply(change);
            _logger.Applied(_resource.Name, change.UpsertedServices.Count + change.UpsertedSlices.Count
                + change.UpsertedServiceCidrs.Count, change.RemovedServices.Count + change.RemovedSlices.Count
                + change.RemovedServiceCidrs.Count);
        }

        _problems.Publish();
    }

    private static ulong? Number(string? version) =>
        ulong.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number)
            ? number
            : null;

    private void Upsert(ApiObject item)
    {
        var metadata = item.Metadata;
        if (!_translation.TryGetName(metadata, out var name))
            return;

        var verdict = _objects.Upsert(name, metadata!.Uid, Number(metadata.ResourceVersion));
        if (verdict == Verdict.Stale)
            return;

        var problems = new ProblemList();
        object? model = _translation.Translate(item, problems);
        _problems.SetObject(_resource.Kind, name, ObjectText.Join(item.Defect, problems));
        if (model is null || verdict == Verdict.Recreated)
            _pending.Remove(name);
        if (model is not null)
            _pending.Upsert(name, model);
    }

    private void Forget(ObjectName name)
    {
        _pending.Remove(name);
        _problems.SetObject(_resource.Kind, name, null);
    }

    /// <summary>It keeps its last good version. One that does not say its name may be any that the list seems to lack.</summary>
    private void TakeUnreadable(WireDefect defect)
    {
        if (!_translation.TryGetName(defect.Metadata, out var name))
        {
            HasUnreadable = true;
            _problems.SetObject(_resource.Kind, Unreadable,
                $"{defect.Message}; until the next list without such an object, none is removed for not being listed");
            return;
        }

        var verdict = _objects.Upsert(name, defect.Metadata!.Uid, Number(defect.Metadata.ResourceVersion));
        if (verdict == Verdict.Stale)
            return;

        if (verdict == Verdict.Recreated)
            _pending.Remove(name);
        _problems.SetObject(_resource.Kind, name, $"cannot be read: {defect.Message}; its last good version stays in force");
    }

    private void SetListed(bool complete)
    {
        lock (_gate)
        {
            if (_isComplete)
                return;

            _isListed = true;
            _isComplete = complete;
            _writer.SetListed(_resource.Name, complete);
        }
    }
}
