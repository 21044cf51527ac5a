// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Agent;

internal sealed record AuditOptions
{
    /// <summary>Between two audits of the maps that nobody asked for.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>After one that left something unrepaired.</summary>
    public TimeSpan RetryInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Between two looks at pins and socket hooks.</summary>
    public TimeSpan LookInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Between two looks at whether a command asks for an audit.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Of one audit, one by one; the others are counted.</summary>
    public int LoggedDivergences { get; init; } = 10;
}
