// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

namespace EbpfLb.LoadBalancing.Desired;

/// <summary>
/// Two service ports, of two services or of one, claim one frontend.
/// The older one has it; the other takes over when that one goes.
/// </summary>
public sealed record FrontendConflict(FrontendAddress Frontend, ServicePortKey Winner, ServicePortKey Loser)
{
    /// <summary>It is the winner's cluster IP and no more than an address outside to the loser: age does not count.</summary>
    public bool IsClusterIP { get; init; }
}
