// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Agent;

internal sealed record DeadSocketsOptions
{
    /// <summary>How long a socket that no earlier look could see, or end, stays unseen at most.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Between the end of a look and the next, however often it is asked for.</summary>
    public TimeSpan MinInterval { get; init; } = TimeSpan.FromMilliseconds(500);
}
