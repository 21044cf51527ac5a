// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using Microsoft.Extensions.Logging;

namespace EbpfLb.Datapath.Loading;

/// <summary>Events 3000 to 3099.</summary>
internal static partial class Log
{
    [LoggerMessage(3000, LogLevel.Information,
        "Datapath ready in {PinPath} on cgroup {Cgroup}: {Created} links created, {Updated} updated, {Kept} found in place")]
    public static partial void DatapathReady(ILogger logger, string pinPath, string cgroup, int created, int updated, int kept);

    [LoggerMessage(3001, LogLevel.Warning,
        "{Map} keeps room for {Entries} entries: {Used} are taken, and --map-size {Map}={Wanted} has not room for them")]
    public static partial void MapKeepsItsSize(ILogger logger, string map, uint entries, ulong used, uint wanted);

    [LoggerMessage(3006, LogLevel.Information, "Linux {Release}: {Features}")]
    public static partial void Features(ILogger logger, string release, string features);

    [LoggerMessage(3002, LogLevel.Warning, "This kernel does not take {Programs}, which the datapath works without: {Failure}")]
    public static partial void ObjectRefused(ILogger logger, string programs, string failure);

    [LoggerMessage(3003, LogLevel.Information, "An agent ended while it replaced maps; going on from {Directory}")]
    public static partial void MigrationResumed(ILogger logger, string directory);

    [LoggerMessage(3004, LogLevel.Information,
        "Maps replaced: {Copied} entries copied, {Late} more that came meanwhile; the programs changed over within {Milliseconds:F2} ms")]
    public static partial void MapsReplaced(ILogger logger, long copied, long late, double milliseconds);

    [LoggerMessage(3005, LogLevel.Warning, "{Refusal}")]
    public static partial void HookRefused(ILogger logger, string refusal);

    [LoggerMessage(3007, LogLevel.Warning, "Programs that nothing runs any more stay pinned: {Failure}. The next start removes them")]
    public static partial void ProgramsLeft(ILogger logger, string failure);
}
