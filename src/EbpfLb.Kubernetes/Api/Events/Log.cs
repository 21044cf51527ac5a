// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Kubernetes.Api.Events;

/// <summary>Events 2180 to 2189.</summary>
internal static partial class Log
{
    [LoggerMessage(2180, LogLevel.Warning,
        "Events on Services are not written: the API server does not allow it (403, first for Service {Service}). Grant the agent's "
        + "account the verbs create and patch on events of the API group events.k8s.io, in every namespace. Nothing else is affected")]
    public static partial void EventsForbidden(this ILogger logger, ObjectName service);

    [LoggerMessage(2181, LogLevel.Warning,
        "An Event on Service {Service} could not be written: {Reason}. Later failures are not told until it works again; nothing else is "
        + "affected")]
    public static partial void EventFailed(this ILogger logger, ObjectName service, string reason);

    [LoggerMessage(2182, LogLevel.Information, "Events on Services are written again")]
    public static partial void EventsWrittenAgain(this ILogger logger);

    [LoggerMessage(2183, LogLevel.Warning,
        "More Events than are written at a time, first on Service {Service}: some are dropped. The agent's own log and status have them "
        + "all")]
    public static partial void EventsDropped(this ILogger logger, ObjectName service);
}
