// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using Microsoft.Extensions.Logging;

namespace EbpfLb.Datapath.Devices;

/// <summary>Events 3100 to 3199.</summary>
internal static partial class Log
{
    [LoggerMessage(3100, LogLevel.Information, "Packets of {Devices} are balanced")]
    public static partial void DevicesServed(this ILogger logger, string devices);

    [LoggerMessage(3101, LogLevel.Warning,
        "No device is attached to ({Choice}): packets from outside are not balanced until there is one. --devices names devices")]
    public static partial void NoDevices(this ILogger logger, string choice);

    [LoggerMessage(3102, LogLevel.Warning,
        "{Device} has a foreign XDP program, {Program}; it was left in place, and tc serves {Device}. XDP is tried again until it has gone")]
    public static partial void ForeignXdp(this ILogger logger, string device, string program);

    [LoggerMessage(EventId = 3103, Message = "{Device} takes no native XDP program ({Cause}); tc serves it. --xdp off silences this")]
    public static partial void NativeRefused(this ILogger logger, LogLevel level, string device, string cause);

    [LoggerMessage(3104, LogLevel.Warning, "{Device} cannot be attached to at {Hook}: {Cause}")]
    public static partial void AttachFailed(this ILogger logger, string device, string hook, string cause);

    [LoggerMessage(3105, LogLevel.Information, "{Device}: {Hook} is in place now")]
    public static partial void AttachedAfterAll(this ILogger logger, string device, string hook);

    [LoggerMessage(3106, LogLevel.Warning, "{Device}: somebody took our program off {Hook}; it was attached again")]
    public static partial void PutBack(this ILogger logger, string device, string hook);

    [LoggerMessage(3107, LogLevel.Warning, "{Device} carries no Ethernet frames, so it cannot be attached to")]
    public static partial void NotEthernet(this ILogger logger, string device);

    [LoggerMessage(3112, LogLevel.Warning,
        "--node-ip {Address}: no device of this node has it. Answers to what is masqueraded with it arrive only if others bring it here")]
    public static partial void NodeIpElsewhere(this ILogger logger, string address);

    [LoggerMessage(3108, LogLevel.Warning, "{Map} cannot take all entries: {Cause}. {Consequence}")]
    public static partial void MapNotWritten(this ILogger logger, string map, string cause, string consequence);

    [LoggerMessage(3109, LogLevel.Debug,
        "Devices: {Created} links created, {Updated} updated, {Kept} kept, {Removed} removed; {Writes} map writes")]
    public static partial void Applied(this ILogger logger, int created, int updated, int kept, int removed, long writes);

    [LoggerMessage(3110, LogLevel.Debug, "Changes of the network were lost; everything was read again")]
    public static partial void ReadAgain(this ILogger logger);

    [LoggerMessage(3111, LogLevel.Warning, "Link {Pin} cannot be removed: {Cause}")]
    public static partial void LinkNotRemoved(this ILogger logger, string pin, string cause);
}
