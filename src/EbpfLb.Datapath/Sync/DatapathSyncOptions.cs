// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Maglev;

namespace EbpfLb.Datapath.Sync;

public sealed record DatapathSyncOptions
{
    /// <summary>How long a range of slots rests before it is written again: far longer than a program can hold on to it.</summary>
    public TimeSpan SlotGrace { get; init; } = TimeSpan.FromSeconds(1);

    public MaglevOptions Maglev { get; init; } = new();
}
