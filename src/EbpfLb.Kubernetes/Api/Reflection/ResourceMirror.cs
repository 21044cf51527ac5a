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

    // Any object that the list seems to lack may be the one that could not be read.
    private bool _hasUnreadable;

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
        writer.RegisterSource(resource.Name);
    }

    public int Count => _objects.Count;

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
        _hasUnreadable = false;
    }

    public void AbandonList() => _objects.AbandonList();

    public void EndList()
    {
        if (_hasUnreadable)
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
        SetListed(complete: !_hasUnreadable);
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
            Upsert(item, defect: null);

        // Some of them may be of items that could be read in part; the list does not say which.
        foreach (string defect in page.Defects)
            TakeUnreadable(defect);
    }

    /// <summary>Of one of the three types that tell of an object. One that cannot be read keeps its last good version.</summary>
    public void Take(WatchEvent told)
    {
        if (told.Object is not { } item)
            TakeUnreadable(told.Defect ?? "an event without an object");
        else if (told.Type != WatchEventType.Deleted)
            Upsert(item, told.Defect);
        else if (_translation.TryGetName(item.Metadata, out var name)
            && _objects.Delete(name, item.Metadata!.Uid, Number(item.Metadata.ResourceVersion)))
            Forget(name);
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

    private void Upsert(ApiObject item, string? defect)
    {
        var metadata = item.Metadata;
        if (!_translation.TryGetName(metadata, out var name))
            return;

        var verdict = _objects.Upsert(name, metadata!.Uid, Number(metadata.ResourceVersion));
        if (verdict == Verdict.Stale)
            return;

        var problems = new ProblemList();
        object? model = _translation.Translate(item, problems);
        _problems.SetObject(_resource.Kind, name, ObjectText.Join(_resource.Kind, name, defect, problems));
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

    private void TakeUnreadable(string defect)
    {
        _hasUnreadable = true;
        _problems.SetObject(_resource.Kind, Unreadable,
            $"{PrintableText.Escape(defect)}; until the next list without such an object, none is removed for not being listed");
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
