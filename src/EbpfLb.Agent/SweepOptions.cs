// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Agent;

internal sealed record SweepOptions
{
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Between the end of a sweep and the next, however often it is asked for.</summary>
    public TimeSpan MinInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Part of the map that is taken.</summary>
    public double WarnAt { get; init; } = 0.8;

    /// <summary>From here on the next warning may come.</summary>
    public double CalmBelow { get; init; } = 0.6;
}
