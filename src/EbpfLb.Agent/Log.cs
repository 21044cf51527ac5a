// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using Microsoft.Extensions.Logging;

namespace EbpfLb.Agent;

/// <summary>Events 1000 to 1099.</summary>
internal static partial class Log
{
    [LoggerMessage(1000, LogLevel.Information, "ebpflb {Version} on node {Node} follows {Source}, process {Pid}")]
    public static partial void Starting(this ILogger logger, string version, string node, string source, int pid);

    [LoggerMessage(1001, LogLevel.Information,
        "First sync: {ServicePorts} service ports, {Frontends} frontends, {Backends} backends; {MapWrites} map writes in {Milliseconds:F1} ms")]
    public static partial void FirstSync(this ILogger logger, int servicePorts, int frontends, int backends, long mapWrites, double milliseconds);

    [LoggerMessage(1002, LogLevel.Information,
        "Synced {Upserted} changed and {Removed} removed services: {MapWrites} map writes in {Milliseconds:F1} ms")]
    public static partial void Synced(this ILogger logger, int upserted, int removed, long mapWrites, double milliseconds);

    [LoggerMessage(1003, LogLevel.Warning, "{Conflict}")]
    public static partial void FrontendConflict(this ILogger logger, string conflict);

    [LoggerMessage(1004, LogLevel.Warning, "{Failure}")]
    public static partial void ServiceFailed(this ILogger logger, string failure);

    [LoggerMessage(1005, LogLevel.Debug, "Swept {Count} affinity entries")]
    public static partial void AffinitySwept(this ILogger logger, int count);

    [LoggerMessage(1006, LogLevel.Warning, "Found in the maps and mended: {Finding}")]
    public static partial void RestoreFinding(this ILogger logger, string finding);

    [LoggerMessage(1007, LogLevel.Information, "Restored {ServicePorts} service ports, {Frontends} frontends and {Backends} backends from the maps")]
    public static partial void Restored(this ILogger logger, int servicePorts, int frontends, int backends);

    [LoggerMessage(1008, LogLevel.Information, "Stopped; programs and maps stay in place")]
    public static partial void Stopped(this ILogger logger);

    [LoggerMessage(1009, LogLevel.Critical, "The {Part} stopped; the agent ends, the datapath goes on")]
    public static partial void PartDied(this ILogger logger, string part, Exception exception);

    [LoggerMessage(1024, LogLevel.Warning, "{Problem}")]
    public static partial void NodeMissing(this ILogger logger, string problem);

    [LoggerMessage(1023, LogLevel.Critical, "The {Part} stopped, and the agent with it; the datapath goes on. {Cause}")]
    public static partial void PartGaveUp(this ILogger logger, string part, string cause);

    [LoggerMessage(1010, LogLevel.Warning, "{Warning}")]
    public static partial void SmallMaglevTable(this ILogger logger, string warning);

    [LoggerMessage(1011, LogLevel.Debug,
        "Swept conntrack: {Entries} entries, {Flows} flows stay, {HalfOpen} of them half open; {Expired} entries expired, {Orphans} were "
        + "without the other half; the backends of {Lost} connections are gone, {Dead} of these will be reset")]
    public static partial void Swept(
        this ILogger logger, ulong entries, ulong flows, ulong halfOpen, ulong expired, ulong orphans, ulong lost, ulong dead);

    [LoggerMessage(1012, LogLevel.Warning,
        "conntrack_v1 is {Percent:F0} % full ({Entries} entries, two a flow): soon the flows that were idle longest are forgotten. "
        + "--map-size conntrack_v1=ENTRIES makes room")]
    public static partial void ConntrackNearlyFull(this ILogger logger, double percent, uint entries);

    [LoggerMessage(1013, LogLevel.Warning, "conntrack_v1 could not be swept, expired flows stay until the next sweep: {Failure}")]
    public static partial void SweepFailed(this ILogger logger, string failure);

    [LoggerMessage(1014, LogLevel.Warning, "{Problem}")]
    public static partial void SysctlProblem(this ILogger logger, string problem);

    [LoggerMessage(1015, LogLevel.Warning, "{Conflict}")]
    public static partial void ServiceCidrConflict(this ILogger logger, string conflict);

    [LoggerMessage(1016, LogLevel.Warning, "The network of this node cannot be followed, and is tried again: {Failure}")]
    public static partial void NetworkNotFollowed(this ILogger logger, string failure);

    [LoggerMessage(1017, LogLevel.Warning, "{Problem}")]
    public static partial void SnatPortsOverlap(this ILogger logger, string problem);

    [LoggerMessage(1050, LogLevel.Warning, "{Refusal}")]
    public static partial void FrontendRefused(this ILogger logger, string refusal);

    [LoggerMessage(1051, LogLevel.Debug, "Whether there are rules of kube-proxy cannot be told: {Failure}")]
    public static partial void KubeProxyRulesUnknown(this ILogger logger, string failure);

    [LoggerMessage(1052, LogLevel.Warning, "{Finding}")]
    public static partial void KernelHardeningFinding(this ILogger logger, string finding);

    [LoggerMessage(1022, LogLevel.Warning, "{Kept}")]
    public static partial void BackendsKept(this ILogger logger, string kept);

    [LoggerMessage(1018, LogLevel.Warning, "{Warning}")]
    public static partial void SettingNotDone(this ILogger logger, string warning);

    [LoggerMessage(1019, LogLevel.Information, "{Name} is {Value} now, it was {Before}")]
    public static partial void SysctlSet(this ILogger logger, string name, int value, string before);

    [LoggerMessage(1020, LogLevel.Debug, "nf_conntrack is not loaded, so there is nothing to set of it")]
    public static partial void NoConntrackModule(this ILogger logger);

    [LoggerMessage(1021, LogLevel.Warning, "{Path} stays {Before}, {Value} was asked for: {Cause}. In a pod that takes CAP_SYS_RESOURCE; "
        + "--oom-score-adj names another value")]
    public static partial void OomScoreNotSet(this ILogger logger, string path, string before, int value, string cause);

    [LoggerMessage(1040, LogLevel.Information, "Ended {Count} connected UDP sockets whose backends are gone, in {Milliseconds:F1} ms")]
    public static partial void SocketsEnded(this ILogger logger, int count, double milliseconds);

    [LoggerMessage(1041, LogLevel.Debug, "Found no connected socket to end, in {Milliseconds:F1} ms")]
    public static partial void NoSocketsEnded(this ILogger logger, double milliseconds);

    [LoggerMessage(1042, LogLevel.Warning, "Connected sockets whose backends are gone could not be looked for, and are later: {Failure}")]
    public static partial void SocketsNotEnded(this ILogger logger, string failure);

    [LoggerMessage(1043, LogLevel.Warning, "{Problem}")]
    public static partial void SocketsProblem(this ILogger logger, string problem);

    [LoggerMessage(1044, LogLevel.Information, "Ended {Count} TCP sockets whose backends are gone and silent, in {Milliseconds:F1} ms")]
    public static partial void ConnectionsEnded(this ILogger logger, int count, double milliseconds);

    [LoggerMessage(1025, LogLevel.Information, "The kernel's conntrack works, more slowly than it could: {Failure}")]
    public static partial void BucketsNotSet(this ILogger logger, string failure);

    [LoggerMessage(1050, LogLevel.Information,
        "Maps have room for more now: {Sizes}; {Copied} entries copied, {Late} that came meanwhile, programs changed over within {Milliseconds:F2} ms")]
    public static partial void MapsGrown(this ILogger logger, string sizes, long copied, long late, double milliseconds);

    [LoggerMessage(1051, LogLevel.Warning, "{Problem}")]
    public static partial void MapsNotGrown(this ILogger logger, string problem);

    [LoggerMessage(1060, LogLevel.Warning, "Somebody changed the maps: {Divergence}. It was repaired")]
    public static partial void Repaired(this ILogger logger, string divergence);

    [LoggerMessage(1061, LogLevel.Warning, "Somebody changed the maps: {Divergence}. It cannot be repaired, and is tried again: {Cause}")]
    public static partial void NotRepaired(this ILogger logger, string divergence, string cause);

    [LoggerMessage(1062, LogLevel.Warning, "And {Count} more entries of maps")]
    public static partial void MoreDiverged(this ILogger logger, int count);

    [LoggerMessage(1063, LogLevel.Debug, "Audited the maps: {Differed} entries differed, {Left} still do, in {Milliseconds:F1} ms")]
    public static partial void Audited(this ILogger logger, int differed, int left, double milliseconds);

    [LoggerMessage(1064, LogLevel.Warning, "Somebody removed what the agent had put in place: {Divergence}. It was put back")]
    public static partial void PutBack(this ILogger logger, string divergence);

    [LoggerMessage(1065, LogLevel.Warning, "What others changed cannot be looked for, or put back, and is later: {Failure}")]
    public static partial void AuditFailed(this ILogger logger, string failure);

    [LoggerMessage(1066, LogLevel.Warning, "{Refusal}")]
    public static partial void HookRefused(this ILogger logger, string refusal);
}
