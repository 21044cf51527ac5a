// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Configuration;

namespace EbpfLb.Cli.Configuration;

/// <summary>A flag of kube-proxy's, so that the arguments of its DaemonSet are taken as they are.</summary>
/// <param name="Name">With its dashes.</param>
/// <param name="Field">Null: the flag asks for a run that is not an agent's.</param>
internal sealed record KubeProxyFlag(string Name, KubeProxyField? Field)
{
    public string? Alias { get; init; }

    /// <summary>The value may be left out, and is true then.</summary>
    public bool IsSwitch { get; init; }

    public string HelpName { get; init; } = "VALUE";

    /// <summary>Null: it is taken and not shown.</summary>
    public string? Description { get; init; }

    /// <summary>What to do in place of it.</summary>
    public string? InPlace { get; init; }
}
