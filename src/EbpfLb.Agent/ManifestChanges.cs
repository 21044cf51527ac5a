// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.CompilerServices;
using EbpfLb.Linux.Files;

namespace EbpfLb.Agent;

/// <summary>inotify in the words of a manifest source: the name that changed, or null when any may have.</summary>
internal static class ManifestChanges
{
    public static async IAsyncEnumerable<string?> WatchAsync(string directory, [EnumeratorCancellation] CancellationToken stopping = default)
    {
        using var inotify = new Inotify(directory);
        await foreach (var change in inotify.ReadAllAsync(stopping).ConfigureAwait(false))
        {
            // The content of a new regular file follows; its closing will tell. A new link is whole at once.
            if (change.Kind == InotifyKind.Created && new FileInfo(Path.Combine(directory, change.Name!)).LinkTarget is null)
                continue;

            yield return change.Name;
        }
    }
}
