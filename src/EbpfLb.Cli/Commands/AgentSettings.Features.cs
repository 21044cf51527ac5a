// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Features;

namespace EbpfLb.Cli.Commands;

/// <summary>What of the kernel is left unused.</summary>
internal sealed partial record AgentSettings
{
    public static string FeatureNames { get; } = string.Join(", ", FeatureNeed.All.Select(need => need.Name));

    public string? Without { get; init; }

    private HashSet<KernelFeature> ParseWithout(List<string> errors)
    {
        var features = new HashSet<KernelFeature>();
        foreach (string name in Without?.Split(',') ?? [])
        {
            if (FeatureNeed.All.FirstOrDefault(need => need.Name == name) is { } need)
                features.Add(need.Feature);
            else
                errors.Add($"--without {Without}: there is no feature '{name}'. They are {FeatureNames}.");
        }

        return features;
    }
}
