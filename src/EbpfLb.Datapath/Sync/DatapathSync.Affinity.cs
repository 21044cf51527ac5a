// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Desired;

namespace EbpfLb.Datapath.Sync;

public sealed partial class DatapathSync
{
    private ulong _affinityEntries;

    /// <summary>A backend that clients may be bound to has gone, or keeps the flows it has and no more. Programs do not follow such entries; the sweep gives back their room.</summary>
    public bool AffinitySweepDue { get; private set; }

    /// <summary>Deletes affinity entries whose service is gone, whose backend is gone or in no list any more, or whose time is up. Returns how many.</summary>
    /// <param name="nowNs">CLOCK_MONOTONIC, as the entries have it.</param>
    public int SweepAffinity(ulong nowNs)
    {
        AffinitySweepDue = false;
        int deleted = 0;
        var entries = _maps.Affinity.ReadAll();
        foreach (var (key, value) in entries)
        {
            // Looked up again: reading the whole map takes long enough for a client to come back.
            if (!IsAlive(key, value, nowNs) && _maps.Affinity.TryGet(key, out var current) && !IsAlive(key, current, nowNs)
                && _maps.Affinity.Delete(key).Succeeded)
                deleted++;
        }

        _affinityEntries = (ulong)(entries.Count - deleted);
        return deleted;
    }

    private bool IsAlive(AffinityKey key, AffinityValue value, ulong nowNs) =>
        _services.TryGet(key.ServiceId, out var service)
        && _backends.TryGet(value.BackendId, out var backend)
        && backend.ServiceId == key.ServiceId
        && IsListed(backend.Flags)
        && (value.LastUsedNs > nowNs || nowNs - value.LastUsedNs < service.AffinityTimeoutSeconds * 1_000_000_000UL);

    private static bool IsListed(BackendFlags flags) => (flags & (BackendFlags.InCluster | BackendFlags.InLocal)) != 0;
}
