// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Agent;

internal sealed record NetworkFollowerOptions
{
    /// <summary>From the first event of many to what they ask for. Routes are invalid at once.</summary>
    public TimeSpan ApplyDelay { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Between two looks at what drivers can do, and at hooks that were taken.</summary>
    public TimeSpan LookInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Between two readings of everything, for what no event tells.</summary>
    public TimeSpan RefreshInterval { get; init; } = TimeSpan.FromSeconds(30);
}
