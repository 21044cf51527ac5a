// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Inspection;

/// <summary>One service id with everything it names, as the maps say.</summary>
/// <param name="Name">namespace/name:port-name, or empty when the maps do not know it.</param>
/// <param name="Cluster">Backends of the Cluster list, each once, ordered by address and port.</param>
/// <param name="Local">Backends of the Local list.</param>
public sealed record ServiceView(
    uint Id,
    string Name,
    Protocol Protocol,
    AddressFamily Family,
    Algorithm Algorithm,
    uint AffinityTimeoutSeconds,
    ServiceFlags Flags,
    SlotRange ClusterSlots,
    SlotRange LocalSlots,
    IReadOnlyList<FrontendView> Frontends,
    IReadOnlyList<BackendView> Cluster,
    IReadOnlyList<BackendView> Local)
{
    /// <summary>What its load balancer frontends admit, ordered; empty: every source.</summary>
    public IReadOnlyList<AddressPrefix> SourceRanges { get; init; } = [];
}
