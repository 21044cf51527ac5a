// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using EbpfLb.Kubernetes.Manifests.Decoding;
using EbpfLb.Kubernetes.Translation;
using Microsoft.Win32.SafeHandles;

namespace EbpfLb.Kubernetes.Manifests.Source;

/// <summary>Reads and parses files of one directory. One at a time; for several at once there are several.</summary>
internal sealed class FileReader(string directory, ManifestLimits limits)
{
    private const int PooledBytes = 1024 * 1024;

    private readonly ManifestParser _parser = new(limits);

    public FileLook Look(string name) => FileLook.At(Path.Combine(directory, name), limits);

    /// <param name="name">Of the file, in the directory.</param>
    /// <param name="known">The version not to parse again.</param>
    public FileReading Read(string name, UInt128? known)
    {
        var look = Look(name);
        if (look.State == FileState.Missing)
            return new FileReading(look, null, null);

        if (look.State != FileState.Readable)
            return Refused(name, look, known, look.Reason!);

        // One byte more than it had, to see in one read that it has not grown.
        int size = (int)look.Length + 1;
        byte[]? rented = size <= PooledBytes ? ArrayPool<byte>.Shared.Rent(size) : null;
        try
        {
            var content = ReadAll(Path.Combine(directory, name), rented ?? new byte[size]);
            var version = Fingerprint(content.Span);
            return new FileReading(look, version, version == known ? null : _parser.Parse(name, content));
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return new FileReading(default, null, null);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // A look that no later one equals, so that every rescan tries again: giving permission changes neither time nor size.
            return Refused(name, look with { State = FileState.Unreadable, Reason = error.Message }, known, error.Message);
        }
        finally
        {
            // This array and no other: one that a growing file needed is not the pool's, which throws at a length it does not have.
            if (rented is not null)
                ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private static FileReading Refused(string name, FileLook look, UInt128? known, string reason)
    {
        var version = Fingerprint(Encoding.UTF8.GetBytes(reason));
        if (version == known)
            return new FileReading(look, version, null);

        var report = new ProblemReport(name);
        var severity = look.State == FileState.NotAManifest ? Severity.Ignored : Severity.Invalid;
        report.Add(severity, 0, "", "", $"the file cannot be read: {reason}");
        return new FileReading(look, version, new ParsedManifest([], report.ToProblems(), report.InvalidCount, report.IgnoredCount));
    }

    private static UInt128 Fingerprint(ReadOnlySpan<byte> content)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(content, hash);
        return BinaryPrimitives.ReadUInt128BigEndian(hash);
    }

    /// <returns>In the given buffer, or in a longer one when the file has grown since it was looked at.</returns>
    private ReadOnlyMemory<byte> ReadAll(string path, byte[] buffer)
    {
        // No advisory lock: a writer must not fail because we read.
        //
        // A FIFO that takes the file's place between the look and here holds the source, and its stopping, until somebody opens the
        // FIFO for writing: .NET passes no O_NONBLOCK, and opening for writing too, which would not wait, tells inotify of a written
        // file each time. What is in force stays so meanwhile. It takes the right to rename in the directory, thus to delete from it.
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete,
            FileOptions.SequentialScan);
        RefuseUnlessSeekable(file);
        int length = 0;
        while (true)
        {
            int read = RandomAccess.Read(file, buffer.AsSpan(length), length);
            if (read == 0)
                return buffer.AsMemory(0, length);

            length += read;
            if (length > limits.MaxFileBytes)
                throw new IOException($"it has more than the {limits.MaxFileBytes} bytes that are read; split it");

            if (length == buffer.Length)
                Array.Resize(ref buffer, (int)Math.Min(2L * length, limits.MaxFileBytes + 1));
        }
    }

    /// <summary>A FIFO that could be opened has a writer, and reading would wait for what it writes.</summary>
    private static void RefuseUnlessSeekable(SafeFileHandle file)
    {
        try
        {
            _ = RandomAccess.GetLength(file);
        }
        catch (NotSupportedException error)
        {
            throw new IOException("it is not a regular file", error);
        }
    }
}
