// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Kubernetes.Api.Reflection;

/// <summary>What is wrong now, of all resources and their objects. Any thread may call any member.</summary>
internal sealed class ProblemBook(ILogger logger)
{
    /// <summary>Objects whose problems are kept and told one by one.</summary>
    public const int Limit = 1000;

    private readonly Lock _gate = new();

    // Everything below is written with _gate held. Null: one more than are kept.
    private readonly Dictionary<(ResourceKind Kind, ObjectName Name), ApiProblem?> _objects = [];
    private readonly SortedDictionary<ResourceKind, ApiProblem> _resources = [];
    private int _kept;
    private bool _changed;
    private bool _toldTooMany;
    private volatile IReadOnlyList<ApiProblem> _current = [];

    /// <summary>Told after <see cref="Current"/> changed.</summary>
    public Action? Changed { get; set; }

    /// <summary>Resources first, then objects by name.</summary>
    public IReadOnlyList<ApiProblem> Current => _current;

    /// <param name="message">Null when all is well. Visible with the next <see cref="Publish"/>.</param>
    public void SetObject(ResourceKind kind, ObjectName name, string? message)
    {
        ApiProblem? told = null;
        bool tooMany = false;
        lock (_gate)
        {
            bool isKnown = _objects.TryGetValue((kind, name), out var known);
            if (message is null)
            {
                if (isKnown)
                    Forget(kind, name, known);
                return;
            }

            if (known?.Message == message || (known is null && _kept >= Limit && isKnown))
                return;

            _changed = true;
            if (known is not null || _kept < Limit)
            {
                _kept += known is null ? 1 : 0;
                _objects[(kind, name)] = told = new ApiProblem(ObjectText.Subject(kind, name), message);
            }
            else
            {
                _objects[(kind, name)] = null;
                tooMany = !_toldTooMany;
                _toldTooMany = true;
            }
        }

        if (told is not null)
            logger.ObjectProblem(told.Subject, told.Message);
        if (tooMany)
            logger.TooManyProblems(Limit);
    }

    /// <param name="message">Null when all is well. Visible with the next <see cref="Publish"/>.</param>
    public void SetResource(ApiResource resource, string? message)
    {
        lock (_gate)
        {
            if (_resources.GetValueOrDefault(resource.Kind)?.Message == message)
                return;

            _changed = true;
            if (message is null)
                _resources.Remove(resource.Kind);
            else
                _resources[resource.Kind] = new ApiProblem(resource.Name, message);
        }
    }

    public void Publish()
    {
        lock (_gate)
        {
            if (!_changed)
                return;

            _changed = false;
            var current = new List<ApiProblem>(_resources.Values);
            current.AddRange(_objects.Values.OfType<ApiProblem>().OrderBy(problem => problem.Subject, StringComparer.Ordinal));
            if (_objects.Count > _kept)
                current.Add(new ApiProblem("objects", $"{_objects.Count - _kept} more have problems that are not told one by one"));
            _current = current;
        }

        Changed?.Invoke();
    }

    private void Forget(ResourceKind kind, ObjectName name, ApiProblem? known)
    {
        _objects.Remove((kind, name));
        _kept -= known is null ? 0 : 1;
        _changed = true;
        _toldTooMany &= _objects.Count > _kept;
    }
}
