// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Features;

namespace EbpfLb.Datapath.Inspection;

/// <summary>The running kernel, and what the datapath does without on it.</summary>
/// <param name="Release">Such as 6.1.0-50-amd64.</param>
/// <param name="Missing">Features that something takes the place of.</param>
public sealed record KernelView(string Release, IReadOnlyList<FeatureNeed> Missing)
{
    internal static KernelView Read()
    {
        var features = KernelFeatures.Probe(new HashSet<KernelFeature>(), requiredToo: false);
        return new KernelView(features.Release, features.Missing);
    }
}
