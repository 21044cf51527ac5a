// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Api.Client.Connection;

internal sealed record ConnectionTimes
{
    /// <summary>For TCP and TLS together.</summary>
    public TimeSpan Connect { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Of silence, until HTTP/2 asks the other side whether it is there.</summary>
    public TimeSpan PingDelay { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Together with the delay well below a minute, after which watches would be stale.</summary>
    public TimeSpan PingTimeout { get; init; } = TimeSpan.FromSeconds(15);
}
