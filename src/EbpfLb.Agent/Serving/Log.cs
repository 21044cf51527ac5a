// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Agent.Serving;

/// <summary>Events 1100 to 1199.</summary>
internal static partial class Log
{
    [LoggerMessage(1100, LogLevel.Information, "{Setting}: serving at {EndPoint}")]
    public static partial void Serving(this ILogger logger, string setting, IPEndPoint endPoint);

    [LoggerMessage(1101, LogLevel.Warning, "{Problem}")]
    public static partial void NotServing(this ILogger logger, string problem);

    [LoggerMessage(1102, LogLevel.Warning, "{Problem}")]
    public static partial void HealthCheckPortFailed(this ILogger logger, string problem);

    [LoggerMessage(1103, LogLevel.Warning, "The datapath cannot be read for metrics, which leave out its numbers: {Failure}")]
    public static partial void DatapathNotRead(this ILogger logger, string failure);
}
