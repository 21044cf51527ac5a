// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Agent.Serving;

/// <summary>What a client can make the agent spend.</summary>
internal sealed record ServingLimits
{
    /// <summary>
    /// At one address and port. One more takes the place of the one that was answered, or came, longest ago: clients that open connections
    /// and say nothing keep nobody else out.
    /// </summary>
    public int Connections { get; init; } = 100;

    public int HeaderBytes { get; init; } = 32 * 1024;

    public TimeSpan HeaderTimeout { get; init; } = TimeSpan.FromSeconds(5);

    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Between two tries to listen where it failed.</summary>
    public TimeSpan RetryInterval { get; init; } = TimeSpan.FromSeconds(5);
}
