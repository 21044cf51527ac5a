// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.CompilerServices;
using EbpfLb.Linux;
using EbpfLb.Linux.Files;

namespace EbpfLb.Agent;

/// <summary>inotify in the words of a manifest source: the name that changed, or null when any may have.</summary>
internal static class ManifestChanges
{
    private static readonly TimeSpan RewatchInterval = TimeSpan.FromSeconds(1);

    /// <summary>Goes on when the directory is removed and made again: a watch belongs to the directory it was set on, not to its path.</summary>
    public static async IAsyncEnumerable<string?> WatchAsync(string directory, [EnumeratorCancellation] CancellationToken stopping = default)
    {
        for (bool first = true; ; first = false)
        {
            if (TryWatch(directory, mustExist: first) is not { } inotify)
            {
                await Task.Delay(RewatchInterval, stopping).ConfigureAwait(false);
                continue;
            }

            using (inotify)
            {
                if (!first)
                    yield return null;
                await foreach (var change in inotify.ReadAllAsync(stopping).ConfigureAwait(false))
                {
                    // The content of a new regular file follows; its closing will tell. A new link is whole at once.
                    if (change.Kind != InotifyKind.Created || new FileInfo(Path.Combine(directory, change.Name!)).LinkTarget is not null)
                        yield return change.Name;
                }
            }
        }
    }

    private static Inotify? TryWatch(string directory, bool mustExist)
    {
        try
        {
            return new Inotify(directory);
        }
        catch (LinuxException) when (!mustExist)
        {
            return null;
        }
    }
}
