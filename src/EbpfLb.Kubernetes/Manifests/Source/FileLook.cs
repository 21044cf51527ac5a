// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Manifests.Source;

internal enum FileState : byte
{
    Missing,

    /// <summary>Can be opened and read.</summary>
    Readable,

    /// <summary>Stands where a manifest may stand, and is none.</summary>
    NotAManifest,

    /// <summary>Should be a manifest, and cannot be read as it is.</summary>
    Unreadable,
}

/// <summary>
/// A file from outside, links followed. Two equal looks mean that nobody changed the file between them, as far as its times and size
/// tell; the time of creation stands for the inode, which a rename over the name replaces.
/// </summary>
/// <param name="Reason">Why it is not readable.</param>
/// <param name="IsLink">The rest is about what the link leads to.</param>
internal readonly record struct FileLook(
    FileState State, long Length, DateTime Modified, DateTime Created, string? Reason, bool IsLink = false)
{
    /// <summary>
    /// Never opens the file: opening a FIFO would wait for a writer that may never come. A FIFO, a socket or a device has no size, so
    /// what has none is not opened either. Nor would there be anything to read; and an empty file is what a crash, a full disk or a
    /// shell about to write leaves behind, so it is not taken as a wish to remove what the file held.
    /// </summary>
    public static FileLook At(string path, ManifestLimits limits)
    {
        try
        {
            FileSystemInfo info = new FileInfo(path);
            if ((int)info.Attributes == -1)
                return default;

            // Asking every file for its link target would be one more system call for each, twenty thousand times.
            bool isLink = info.Attributes.HasFlag(FileAttributes.ReparsePoint);
            if (isLink)
            {
                string? target = info.LinkTarget;
                info = info.ResolveLinkTarget(returnFinalTarget: true) ?? info;
                if ((int)info.Attributes == -1)
                    return Unreadable($"it is a symbolic link to '{target}', which does not exist");
            }

            if (info.Attributes.HasFlag(FileAttributes.Directory))
                return new FileLook(FileState.NotAManifest, 0, default, default, "it is a directory");

            long length = ((FileInfo)info).Length;
            string? reason = length == 0 ? "it is empty, or not a regular file; delete it if its objects shall go"
                : length > limits.MaxFileBytes ? $"it has {length} bytes, more than the {limits.MaxFileBytes} that are read; split it"
                : null;
            return new FileLook(reason is null ? FileState.Readable : FileState.Unreadable, length, info.LastWriteTimeUtc,
                info.CreationTimeUtc, reason, isLink);
        }
        catch (FileNotFoundException)
        {
            return default;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return Unreadable(error.Message);
        }
    }

    private static FileLook Unreadable(string reason) => new(FileState.Unreadable, 0, default, default, reason);
}
