// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Runtime.InteropServices;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Maps;

namespace EbpfLb.Datapath.Inspection;

/// <summary>Which backend a client was given.</summary>
/// <param name="Client">An address, or "netns:" and the cookie of a network namespace.</param>
/// <param name="ServiceName">Empty when the maps do not know it.</param>
/// <param name="Backend">Null when the backend is gone, or its id is another service's by now.</param>
/// <param name="ExpiresIn">Null unless <see cref="AffinityState.Bound"/>.</param>
public sealed record AffinityView(
    string Client,
    ClientKind ClientKind,
    uint ServiceId,
    string ServiceName,
    uint BackendId,
    BackendView? Backend,
    TimeSpan LastUsedAgo,
    TimeSpan? ExpiresIn,
    AffinityState State)
{
    /// <param name="maps">Read as a whole.</param>
    /// <param name="nowNs">CLOCK_MONOTONIC, as the entries have it.</param>
    public static IReadOnlyList<AffinityView> ReadAll(ILbMaps maps, ulong nowNs)
    {
        ArgumentNullException.ThrowIfNull(maps);

        // Affinity first: a backend that is written meanwhile is then found, not reported as gone.
        var entries = maps.Affinity.ReadAll();
        var snapshot = DatapathSnapshot.Read(maps);
        var services = snapshot.Services.ToDictionary(service => service.Id);
        var backends = snapshot.Backends.ToDictionary(backend => backend.Id);
        return
        [
            .. entries.Select(entry => Join(entry.Key, entry.Value, services, backends, nowNs))
                .OrderBy(view => view.ServiceName, StringComparer.Ordinal).ThenBy(view => view.ServiceId)
                .ThenBy(view => view.LastUsedAgo).ThenBy(view => view.Client, StringComparer.Ordinal),
        ];
    }

    private static AffinityView Join(
        AffinityKey key, AffinityValue value, Dictionary<uint, ServiceView> services, Dictionary<uint, BackendView> backends, ulong nowNs)
    {
        var service = services.GetValueOrDefault(key.ServiceId);
        var backend = backends.GetValueOrDefault(value.BackendId);
        if (backend?.ServiceId != key.ServiceId)
            backend = null;

        // A program may have used the entry since the clock was read.
        var ago = nowNs > value.LastUsedNs ? TimeSpan.FromTicks((long)((nowNs - value.LastUsedNs) / 100)) : TimeSpan.Zero;
        var timeout = TimeSpan.FromSeconds(service?.AffinityTimeoutSeconds ?? 0);
        var state = service is null || backend is null ? AffinityState.Stale : ago < timeout ? AffinityState.Bound : AffinityState.Expired;
        return new AffinityView(
            ClientText(key), key.ClientKind, key.ServiceId, service?.Name ?? "", value.BackendId, backend, ago,
            state == AffinityState.Bound ? timeout - ago : null, state);
    }

    private static string ClientText(AffinityKey key)
    {
        if (key.ClientKind != ClientKind.NetNs)
            return key.Client.ToString();

        Span<byte> bytes = stackalloc byte[16];
        key.Client.CopyTo(bytes);
        return string.Create(CultureInfo.InvariantCulture, $"netns:{MemoryMarshal.Read<ulong>(bytes)}");
    }
}

public enum AffinityState
{
    /// <summary>The client's next connection goes to the backend.</summary>
    Bound,

    /// <summary>The service's timeout has passed, or it no longer has affinity.</summary>
    Expired,

    /// <summary>The service or the backend is gone. Programs do not follow such an entry.</summary>
    Stale,
}
