// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Manifests.Source;

internal static class DirectoryListing
{
    /// <returns>The names that are manifests by their name, ordered by code unit.</returns>
    /// <exception cref="IOException">The directory is gone, or is none.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory may not be listed.</exception>
    public static string[] Read(string path)
    {
        string[] names =
        [
            .. Directory.EnumerateFileSystemEntries(path).Select(entry => Path.GetFileName(entry)).Where(ManifestFileName.IsManifest),
        ];
        Array.Sort(names, StringComparer.Ordinal);
        return names;
    }

    public static string[] ReadOrThrow(string path)
    {
        try
        {
            return Read(path);
        }
        catch (IOException error) when (File.Exists(path))
        {
            throw new ManifestDirectoryException($"'{path}' is a file. Name the directory that holds the manifests.", error);
        }
        catch (DirectoryNotFoundException error)
        {
            throw new ManifestDirectoryException(
                $"The manifest directory '{path}' does not exist. Create it, or name the directory that holds the manifests.", error);
        }
        catch (UnauthorizedAccessException error)
        {
            throw new ManifestDirectoryException(
                $"The manifest directory '{path}' may not be listed. Give the agent's user read and search permission on it "
                + "and on the directories above it.", error);
        }
        catch (IOException error)
        {
            throw new ManifestDirectoryException(
                $"The manifest directory '{path}' cannot be listed: {error.Message} Check the path and its file system.", error);
        }
    }
}
