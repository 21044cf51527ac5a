// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.Selection;

namespace EbpfLb.LoadBalancing.Tests.Selection;

/// <summary>The rules of kube-proxy once more, said as sets and as plainly as they can be. Of TCP: whoever is in neither list is there too.</summary>
internal static class KubeProxyReference
{
    public static (HashSet<Backend> Backends, bool HasEndpoints) Select(
        IReadOnlyCollection<EndpointSlice> slices,
        string portName,
        Protocol protocol,
        AddressFamily family,
        TrafficScope scope,
        string? zone)
    {
        var all = (
            from slice in slices
            where slice.Family == family
            from port in slice.Ports
            where port.Name == portName && port.Protocol == protocol
            from endpoint in slice.Endpoints
            group endpoint by (endpoint.Address, port.Port) into copies
            select (copies.Key, Endpoint: Best(copies))).ToList();

        bool IsReady((ValueTuple<Address, ushort> Key, Endpoint Endpoint) one) => one.Endpoint.Ready;
        bool IsLeaving((ValueTuple<Address, ushort> Key, Endpoint Endpoint) one) => one.Endpoint is { Serving: true, Terminating: true };
        bool IsLocal((ValueTuple<Address, ushort> Key, Endpoint Endpoint) one) => one.Endpoint.NodeName == Objects.ThisNode;

        var ready = all.Where(IsReady).ToList();
        var preferred = ready;
        if (ready.Count > 0)
        {
            if (ready.All(one => !one.Endpoint.NodeHints.IsEmpty) && ready.Any(one => one.Endpoint.NodeHints.Contains(Objects.ThisNode)))
                preferred = [.. ready.Where(one => one.Endpoint.NodeHints.Contains(Objects.ThisNode))];
            else if (zone is not null
                && ready.All(one => !one.Endpoint.ZoneHints.IsEmpty) && ready.Any(one => one.Endpoint.ZoneHints.Contains(zone)))
                preferred = [.. ready.Where(one => one.Endpoint.ZoneHints.Contains(zone))];
        }

        var cluster = preferred.Count > 0 ? preferred : [.. all.Where(IsLeaving)];
        if (scope.InternalTrafficPolicy != TrafficPolicy.Cluster && !scope.ExternallyReachable)
            cluster = [];

        var local = ready.Any(IsLocal) ? ready.Where(IsLocal).ToList() : [.. all.Where(IsLocal).Where(IsLeaving)];
        if (scope.InternalTrafficPolicy != TrafficPolicy.Local
            && !(scope.ExternallyReachable && scope.ExternalTrafficPolicy == TrafficPolicy.Local))
            local = [];

        var backends = all.Select(one => new Backend(
            one.Key.Address,
            one.Key.Port,
            (cluster.Contains(one) ? BackendFlags.InCluster : 0)
            | (local.Contains(one) ? BackendFlags.InLocal : 0)
            | (IsLocal(one) ? BackendFlags.OnNode : 0)
            | (!IsReady(one) && IsLeaving(one) ? BackendFlags.Terminating : 0)));
        return (backends.ToHashSet(), all.Any(one => IsReady(one) || IsLeaving(one)));
    }

    // kube-proxy says only that one which does not terminate wins. The rest of the order is ours: what is more useful.
    private static Endpoint Best(IEnumerable<Endpoint> copies) => copies
        .OrderBy(static endpoint => endpoint.Terminating)
        .ThenByDescending(static endpoint => endpoint.Ready)
        .ThenByDescending(static endpoint => endpoint.Serving)
        .ThenByDescending(static endpoint => endpoint.NodeName == Objects.ThisNode)
        .First();
}
