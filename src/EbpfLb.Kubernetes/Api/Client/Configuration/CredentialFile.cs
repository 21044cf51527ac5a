// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Kubernetes.Api.Client.Configuration;

/// <summary>Reads files that configurations name. Messages have the path and the system's reason, never content.</summary>
internal static class CredentialFile
{
    private const int MaxBytes = 8 * 1024 * 1024;

    /// <param name="what">What names the file: "the kubeconfig", "user 'admin', client-key".</param>
    /// <exception cref="ApiUnreachableException">It cannot be read.</exception>
    public static byte[] Read(string path, string what)
    {
        try
        {
            // A FIFO has no length, and opening one would wait for its writer.
            long length = new FileInfo(path).Length;
            if (length == 0)
                throw Error(path, what, "it is empty, or not a regular file");

            if (length > MaxBytes)
                throw Error(path, what, $"it has {length} bytes, more than the {MaxBytes} that are read");

            return File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Error(path, what, Reason(error, path));
        }
    }

    /// <summary>The text of errno, which .NET wraps in sentences of its own.</summary>
    internal static string Reason(Exception error, string path) => error switch
    {
        _ when Directory.Exists(path) => "Is a directory",
        FileNotFoundException or DirectoryNotFoundException => "No such file or directory",
        PathTooLongException => "File name too long",
        UnauthorizedAccessException => "Permission denied; let the agent's user read it",
        _ => error.Message.TrimEnd('.'),
    };

    private static ApiUnreachableException Error(string path, string what, string reason) =>
        new($"{what}: the file {PrintableText.Escape(path)} cannot be read: {reason}.");
}
