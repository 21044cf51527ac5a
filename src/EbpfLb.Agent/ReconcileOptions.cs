// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Agent;

/// <summary>The three promises of the loop, and what it compares with what is programmed.</summary>
internal sealed record ReconcileOptions
{
    /// <summary>Between the end of a run and the next start. The first change after quiet is taken at once.</summary>
    public TimeSpan MinInterval { get; init; } = TimeSpan.FromMilliseconds(2);

    /// <summary>After a run that left something undone; doubled up to <see cref="MaxRetryInterval"/> while that goes on.</summary>
    public TimeSpan RetryInterval { get; init; } = TimeSpan.FromMilliseconds(100);

    public TimeSpan MaxRetryInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Between two looks at every affinity entry; programs ignore those that have had their time.</summary>
    public TimeSpan SweepInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Even when nothing happens: expired affinity is swept, failed deletions are tried again.</summary>
    public TimeSpan MaxInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The source ports of masqueraded flows, which should be no NodePorts. Null: there are none.</summary>
    public (int First, int Last)? SnatPorts { get; init; }
}
