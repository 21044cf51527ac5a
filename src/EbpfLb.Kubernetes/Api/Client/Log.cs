// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using Microsoft.Extensions.Logging;

namespace EbpfLb.Kubernetes.Api.Client;

/// <summary>Events 2150 to 2179. No secret gets here, and text from outside is escaped before.</summary>
internal static partial class Log
{
    [LoggerMessage(2150, LogLevel.Warning,
        "The kubeconfig {File} holds secrets, and every user of this machine can read it. Take that right away: chmod o-r")]
    public static partial void ReadableByAll(this ILogger logger, string file);

    [LoggerMessage(2151, LogLevel.Warning,
        "The connection to {Server} is not encrypted, so no credentials are sent. Use https where others are on the network")]
    public static partial void NotEncrypted(this ILogger logger, string server);

    [LoggerMessage(2152, LogLevel.Warning,
        "insecure-skip-tls-verify: whoever answers at {Server} is trusted, and gets the credentials. Set certificate-authority instead")]
    public static partial void NotVerified(this ILogger logger, string server);

    [LoggerMessage(2153, LogLevel.Warning, "{Problem} What was read before stays in use; trying again")]
    public static partial void NotReadAgain(this ILogger logger, string problem);

    [LoggerMessage(2154, LogLevel.Information, "The configuration of the API server can be read again")]
    public static partial void ReadAgain(this ILogger logger);

    [LoggerMessage(2155, LogLevel.Information,
        "Certificates or the address of the API server changed: new connections to {Server} use them, old ones end in {GraceSeconds} s")]
    public static partial void EndpointChanged(this ILogger logger, string server, double graceSeconds);

    [LoggerMessage(2156, LogLevel.Debug, "The token changed: requests use the new one")]
    public static partial void TokenChanged(this ILogger logger);

    [LoggerMessage(2157, LogLevel.Debug, "The API server does not accept the credentials: read anew")]
    public static partial void Refused(this ILogger logger);

    [LoggerMessage(2158, LogLevel.Debug, "The exec plugin {Command} gave credentials, good until {Expiration}")]
    public static partial void PluginRan(this ILogger logger, string command, DateTimeOffset? expiration);
}
