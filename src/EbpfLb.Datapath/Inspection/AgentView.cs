// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;

namespace EbpfLb.Datapath.Inspection;

/// <summary>The agent that wrote last, which need not be running any more.</summary>
/// <param name="RunningPid">The process that holds the lock now; null when none does.</param>
/// <param name="StartedAgo">Null when no agent has written its state yet.</param>
/// <param name="SyncedAgo">Since every write of a reconciliation succeeded; null when that never was.</param>
/// <param name="SyncedSinceStart">False while all that is in the maps is from before this start.</param>
/// <param name="DesiredServices">Service ids it wants.</param>
/// <param name="Failed">Service objects not programmed as desired.</param>
/// <param name="Problems">Also those that did not fit in the map.</param>
public sealed record AgentView(
    int? RunningPid,
    string Version,
    string Node,
    string Source,
    TimeSpan? StartedAgo,
    TimeSpan? SyncedAgo,
    bool SyncedSinceStart,
    ulong Syncs,
    uint DesiredServices,
    uint Failed,
    uint Problems)
{
    internal static AgentView From(in AgentValue value, int? runningPid, ulong nowNs) => new(
        runningPid, value.Version.ToString(), value.Node.ToString(), value.Source.ToString(), Ago(value.StartedNs, nowNs),
        Ago(value.SyncedNs, nowNs), value.SyncedNs != 0 && value.SyncedNs >= value.StartedNs, value.Syncs, value.Services, value.Failed,
        value.Problems);

    private static TimeSpan? Ago(ulong thenNs, ulong nowNs) =>
        thenNs == 0 ? null : TimeSpan.FromTicks(nowNs > thenNs ? (long)((nowNs - thenNs) / 100) : 0);
}
