// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using Microsoft.Extensions.Logging;

namespace EbpfLb.Kubernetes.Api;

/// <summary>Events 2100 to 2149. Text from servers must be escaped before it gets here, so that an event stays one line.</summary>
internal static partial class Log
{
    [LoggerMessage(2100, LogLevel.Information, "{Resource}: {Objects} listed in {ElapsedMs} ms, followed from version {Version}")]
    public static partial void Listed(this ILogger logger, string resource, int objects, long elapsedMs, string version);

    [LoggerMessage(2101, LogLevel.Warning, "{Resource}: {Reason}. What was last seen stays in force; trying again")]
    public static partial void Lost(this ILogger logger, string resource, string reason);

    [LoggerMessage(2102, LogLevel.Information, "{Resource}: followed again after {Seconds:F1} s")]
    public static partial void Resumed(this ILogger logger, string resource, double seconds);

    [LoggerMessage(2103, LogLevel.Information, "{Resource}: the watch was cut ({Reason}); it goes on from version {Version}")]
    public static partial void WatchCut(this ILogger logger, string resource, string reason, string version);

    [LoggerMessage(2104, LogLevel.Information,
        "{Resource}: the server no longer has changes since version {Version}; listing anew. Nothing is removed until that is complete")]
    public static partial void Expired(this ILogger logger, string resource, string version);

    [LoggerMessage(2105, LogLevel.Information,
        "{Resource}: the server does not send lists as streams ({Reason}); they are asked for in pages for the next {Minutes} minutes")]
    public static partial void NoStreamedLists(this ILogger logger, string resource, string reason, double minutes);

    [LoggerMessage(2106, LogLevel.Information, "{Resource}: the server does not have this resource; served without")]
    public static partial void Absent(this ILogger logger, string resource);

    [LoggerMessage(2107, LogLevel.Warning,
        "{Resource}: not listed after {Seconds} s, and no longer waited for: cluster IPs are served without this node's addresses and "
        + "zone, and nothing that an earlier run left in the maps is deleted")]
    public static partial void NodeMissing(this ILogger logger, string resource, double seconds);

    [LoggerMessage(2108, LogLevel.Debug, "{Resource}: {Attempt} failed: {Reason}; again in {DelayMs} ms")]
    public static partial void AttemptFailed(this ILogger logger, string resource, string attempt, string reason, long delayMs);

    [LoggerMessage(2110, LogLevel.Warning, "{Subject}: {Problem}")]
    public static partial void ObjectProblem(this ILogger logger, string subject, string problem);

    [LoggerMessage(2111, LogLevel.Warning, "More than {Limit} objects have problems; further ones are counted, not told")]
    public static partial void TooManyProblems(this ILogger logger, int limit);

    [LoggerMessage(2112, LogLevel.Debug, "{Resource}: {Upserted} changed, {Removed} removed")]
    public static partial void Applied(this ILogger logger, string resource, int upserted, int removed);
}
