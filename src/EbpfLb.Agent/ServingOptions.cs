// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;

namespace EbpfLb.Agent;

/// <summary>Where the agent answers HTTP. Null: nowhere. The defaults are kube-proxy's.</summary>
public sealed record ServingOptions
{
    /// <summary>/healthz and /livez.</summary>
    public IPEndPoint? Healthz { get; init; } = new(IPAddress.Any, 10256);

    /// <summary>/metrics, /proxyMode and /configz.</summary>
    public IPEndPoint? Metrics { get; init; } = new(IPAddress.Loopback, 10249);

    /// <summary>Twice this without progress on a change that waits, and the agent is unhealthy.</summary>
    public TimeSpan SyncPeriod { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>An address that cannot be bound ends the agent. Else it is tried again.</summary>
    public bool BindHardFail { get; init; }
}
