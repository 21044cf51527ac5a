// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.Selection;

namespace EbpfLb.LoadBalancing.Desired;

/// <summary>
/// Keeps default/kubernetes from becoming empty. API servers write its endpoints themselves, and for a moment there may be none, while
/// the servers that stood there last still answer. Whoever reaches the API through this frontend would be cut off, pods that repair the
/// cluster first; and an agent that does would never hear of the endpoint that comes back. For every other service an empty list is the
/// truth, and old backends would be somebody else's addresses before long.
/// </summary>
internal sealed class ApiServiceGuard
{
    private const BackendFlags Lists = BackendFlags.InCluster | BackendFlags.InLocal;

    // The last backends of each of its ports that had any to use, those of an earlier run included.
    private readonly Dictionary<ServicePortKey, EquatableArray<Backend>> _last = [];

    // Of the last build.
    private readonly List<KeptBackends> _kept = [];
    private bool _isGone;

    public static ObjectName ServiceName { get; } = new("default", "kubernetes");

    public EquatableArray<KeptBackends> Kept => _kept.ToEquatableArray();

    public void Recall(ServicePortKey key, EquatableArray<Backend> backends)
    {
        if (key.Service == ServiceName && HasListed(backends))
            _last[key] = backends;
    }

    /// <summary>Before the claims of a service are replaced.</summary>
    /// <returns>What counts as the service from here on: of one that is gone its last version, if that led anywhere.</returns>
    public Service? Hold(ObjectName name, Service? previous, Service? current)
    {
        if (name != ServiceName)
            return current;

        _isGone = current is null && previous is not null && _last.Count > 0;
        return _isGone ? previous : current;
    }

    /// <summary>Before the ports of a service are built.</summary>
    public void Begin(ObjectName name)
    {
        if (name == ServiceName)
            _kept.Clear();
    }

    /// <returns>What the port gets: of one without any endpoint, what it had last.</returns>
    public EndpointSelection Hold(ServicePortKey key, EndpointSelection selection)
    {
        if (key.Service != ServiceName)
            return selection;

        bool isEmpty = !selection.HasEndpoints;
        if (isEmpty && _last.TryGetValue(key, out var last))
            selection = new EndpointSelection(last, HasEndpoints: true);
        else if (HasListed(selection.Backends))
            _last[key] = selection.Backends;

        if ((isEmpty || _isGone) && selection.HasEndpoints)
            _kept.Add(new KeptBackends(key, selection.Backends, _isGone));
        return selection;
    }

    private static bool HasListed(EquatableArray<Backend> backends) => backends.Any(static backend => (backend.Flags & Lists) != 0);
}
