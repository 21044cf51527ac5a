// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using Microsoft.Extensions.Logging;

namespace EbpfLb.Kubernetes.Manifests;

/// <summary>Events 2000 to 2099. Text from files must be escaped before it gets here, so that an event stays one line.</summary>
internal static partial class Log
{
    [LoggerMessage(2000, LogLevel.Information,
        "Manifest directory {Directory}: {Files} files, {Objects} objects, {BadFiles} bad files, read in {ElapsedMs} ms")]
    public static partial void Listed(this ILogger logger, string directory, int files, int objects, int badFiles, long elapsedMs);

    [LoggerMessage(2001, LogLevel.Warning, "{Problem}{More}. {Consequence}")]
    public static partial void FileRefused(this ILogger logger, ManifestProblem problem, string more, string consequence);

    [LoggerMessage(2002, LogLevel.Warning, "{Problem}{More}. The rest of the file is served")]
    public static partial void FilePartlyIgnored(this ILogger logger, ManifestProblem problem, string more);

    [LoggerMessage(2003, LogLevel.Debug, "{File}: taken, {Objects} objects")]
    public static partial void FileTaken(this ILogger logger, string file, int objects);

    [LoggerMessage(2004, LogLevel.Information, "{File}: good again, {Objects} objects")]
    public static partial void FileRecovered(this ILogger logger, string file, int objects);

    [LoggerMessage(2005, LogLevel.Information, "{File}: deleted, with {Objects} objects")]
    public static partial void FileDeleted(this ILogger logger, string file, int objects);

    [LoggerMessage(2006, LogLevel.Warning,
        "{Object}{More} is in {Owner} and in {Other}. The one in {Owner} is served, the other takes over when it goes")]
    public static partial void ObjectInTwoFiles(this ILogger logger, string @object, string more, string owner, string other);

    [LoggerMessage(2007, LogLevel.Warning,
        "Manifest directory {Directory} cannot be listed: {Reason}. Everything stays as it was last read; trying again")]
    public static partial void DirectoryLost(this ILogger logger, string directory, string reason);

    [LoggerMessage(2008, LogLevel.Information, "Manifest directory {Directory} can be listed again")]
    public static partial void DirectoryBack(this ILogger logger, string directory);

    [LoggerMessage(2009, LogLevel.Warning,
        "{Files} manifest files have been bad since the start, so what they hold is not known: nothing that an earlier run left in "
        + "the maps is deleted until they are repaired or deleted")]
    public static partial void NotComplete(this ILogger logger, int files);

    [LoggerMessage(2010, LogLevel.Information, "Every manifest file has been read")]
    public static partial void Complete(this ILogger logger);

    [LoggerMessage(2011, LogLevel.Debug,
        "Changed: {UpsertedServices} services, {RemovedServices} removed; {UpsertedSlices} slices, {RemovedSlices} removed")]
    public static partial void Applied(
        this ILogger logger, int upsertedServices, int removedServices, int upsertedSlices, int removedSlices);

    [LoggerMessage(2012, LogLevel.Warning,
        "Nothing tells of changes in manifest directory {Directory} any more; they are found every {RescanSeconds} s")]
    public static partial void NoMoreEvents(this ILogger logger, string directory, double rescanSeconds);
}
