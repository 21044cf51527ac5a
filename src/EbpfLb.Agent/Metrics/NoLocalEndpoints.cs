// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Agent.Metrics;

/// <summary>
/// Service ports whose traffic this node drops: policy Local, no endpoint of theirs here, but some elsewhere. Kept up to date service by
/// service; owned by the reconcile loop.
/// </summary>
internal sealed class NoLocalEndpoints(SyncMetrics metrics)
{
    // Only services that have such a port.
    private readonly Dictionary<ObjectName, int[]> _counts = [];
    private readonly int[] _total = new int[4];

    public void Learn(DesiredChanges changes)
    {
        foreach (var name in changes.Removed)
            Replace(name, null);
        foreach (var service in changes.Upserted)
            Replace(service.Name, Count(service));
        for (int kind = 0; kind < _total.Length; kind++)
            metrics.SetNoLocalEndpoints((AddressFamily)(kind < 2 ? 4 : 6), (TrafficScopeLabel)(kind % 2), _total[kind]);
    }

    private static int[]? Count(DesiredService service)
    {
        int[]? counts = null;
        foreach (var port in service.Ports)
        {
            if (!port.HasEndpoints || port.Backends.Any(backend => backend.Flags.HasFlag(BackendFlags.InLocal)))
                continue;

            int kind = port.Key.Family == AddressFamily.IPv4 ? 0 : 2;
            if (port.InternalTrafficPolicy == TrafficPolicy.Local)
                (counts ??= new int[4])[kind]++;
            if (port.ExternalTrafficPolicy == TrafficPolicy.Local
                && port.Frontends.Any(frontend => frontend.Kind != FrontendKind.ClusterIP))
                (counts ??= new int[4])[kind + 1]++;
        }

        return counts;
    }

    private void Replace(ObjectName name, int[]? counts)
    {
        if (_counts.Remove(name, out int[]? before))
            Add(before, -1);
        if (counts is null)
            return;

        _counts[name] = counts;
        Add(counts, 1);
    }

    private void Add(int[] counts, int sign)
    {
        for (int kind = 0; kind < counts.Length; kind++)
            _total[kind] += sign * counts[kind];
    }
}
