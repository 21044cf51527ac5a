// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
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
    private static readonly ObjectName Nameless = new("", "without a name");

    private readonly ApiResource _resource;
    private readonly ObjectTranslation _translation;
    private readonly ClusterStateWriter _writer;
    private readonly ProblemBook _problems;
    private readonly ILogger _logger;
    private readonly ObjectTable _objects = new();
    private readonly PendingChange _pending = new();
    private readonly Lock _gate = new();

    // An item without a name was told: any object that the list seems to lack may be it.
    private bool _listHasNameless;

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
        _listHasNameless = false;
    }

    public void AbandonList() => _objects.AbandonList();

    public void EndList()
    {
        if (_listHasNameless)
        {
            _objects.AbandonList();
        }
        else
        {
            foreach (var name in _objects.EndList())
                Forget(name);
            _problems.SetObject(_resource.Kind, Nameless, null);
        }

        Publish();
        SetListed(complete: !_listHasNameless);
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

        foreach (string defect in page.Defects)
            TakeNameless(defect);
    }

    /// <summary>Of one of the three types that tell of an object.</summary>
    public void Take(WatchEvent told)
    {
        if (!_translation.TryGetName(told.Object?.Metadata, out var name))
        {
            if (told.Object?.Metadata?.Name is null)
                TakeNameless(told.Defect ?? "metadata.name: is required");
        }
        else if (told.Type == WatchEventType.Deleted)
        {
            if (_objects.Delete(name, told.Object!.Metadata!.Uid, Number(told.Object.Metadata.ResourceVersion)))
                Forget(name);
        }
        else if (told.Defect is { } defect)
        {
            _objects.Keep(name, told.Object!.Metadata!.Uid);
            _problems.SetObject(_resource.Kind, name, $"{PrintableText.Escape(defect)}; its last good version stays in force");
        }
        else
        {
            Upsert(told.Object!);
        }
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
        ulong.TryParse(version, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out ulong number)
            ? number
            : null;

    private void Upsert(ApiObject item)
    {
        var metadata = item.Metadata;
        if (!_translation.TryGetName(metadata, out var name))
        {
            if (string.IsNullOrEmpty(metadata?.Name))
                TakeNameless("metadata.name: is required");
            return;
        }

        var verdict = _objects.Upsert(name, metadata!.Uid, Number(metadata.ResourceVersion));
        if (verdict == Verdict.Stale)
            return;

        var problems = new ProblemList();
        object? model = _translation.Translate(item, problems);
        _problems.SetObject(_resource.Kind, name, problems.Kept.Count == 0 ? null : ObjectText.Join(problems));
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

    private void TakeNameless(string defect)
    {
        _listHasNameless = true;
        _problems.SetObject(_resource.Kind, Nameless,
            $"{PrintableText.Escape(defect)}; nothing is removed for not being listed, because it may be what cannot be read");
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
