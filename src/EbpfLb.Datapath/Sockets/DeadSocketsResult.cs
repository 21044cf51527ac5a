// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Sockets;

/// <param name="Ended">Sockets.</param>
/// <param name="Left">What could not be ended, and why.</param>
public sealed record DeadSocketsResult(int Ended, IReadOnlyList<DeadSocketsResult.Part> Left)
{
    /// <summary>Of those that ended; the others were of UDP.</summary>
    public int OfTcp { get; init; }

    public sealed record Part(DeadSocketObstacle Obstacle, int Sockets, int Namespaces);
}
