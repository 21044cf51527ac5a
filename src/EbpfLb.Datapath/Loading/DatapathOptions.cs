// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Features;
using EbpfLb.Datapath.Migration;

namespace EbpfLb.Datapath.Loading;

public sealed record DatapathOptions
{
    /// <summary>A mounted bpffs; null to use the one /proc/self/mounts names.</summary>
    public string? BpfFs { get; init; }

    /// <summary>The cgroup whose processes are served; null for the root of the cgroup2 hierarchy.</summary>
    public string? Cgroup { get; init; }

    /// <summary>To be treated as if this kernel did not have them: tries what happens on another one.</summary>
    public IReadOnlySet<KernelFeature> WithoutFeatures { get; init; } = new HashSet<KernelFeature>();

    /// <summary>Entries by map name. The others have the sizes of bpf/lib/maps.h at first, and later what they have grown to.</summary>
    public IReadOnlyDictionary<string, uint> MapSizes { get; init; } = new Dictionary<string, uint>();

    /// <summary>Of maps that an agent of an earlier version left.</summary>
    public IReadOnlyList<MapConversion> Conversions { get; init; } = MapConversion.All;

    /// <summary>Told of each step of a migration, for tests that end it there.</summary>
    internal Action<MigrationStep>? MigrationReached { get; init; }
}
