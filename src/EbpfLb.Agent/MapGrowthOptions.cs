// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Maps;

namespace EbpfLb.Agent;

internal sealed record MapGrowthOptions
{
    /// <summary>Part of the map that is taken. An LRU hash forgets somewhat before it is full: each CPU keeps entries in reserve.</summary>
    public double GrowAt { get; init; } = 0.8;

    public TimeSpan RetryInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Of conntrack_v1 a sweep goes through as many in a second. A flood must not take the node's memory.</summary>
    public uint MaxEntries { get; init; } = 1 << 20;

    public uint MaxSlots { get; init; } = 1 << 23;

    /// <summary>Beyond it a map grows only with --map-size.</summary>
    public uint CeilingOf(string map) => map == MapNames.Slots ? MaxSlots : MaxEntries;
}
