// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using EbpfLb.Kubernetes.Manifests.Decoding;
using EbpfLb.Kubernetes.Translation;

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
        byte[] buffer = size <= PooledBytes ? ArrayPool<byte>.Shared.Rent(size) : new byte[size];
        try
        {
            int length = ReadAll(Path.Combine(directory, name), ref buffer);
            var content = buffer.AsMemory(0, length);
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
            if (size <= PooledBytes)
                ArrayPool<byte>.Shared.Return(buffer);
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

    private int ReadAll(string path, ref byte[] buffer)
    {
        // No advisory lock: a writer must not fail because we read.
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete,
            FileOptions.SequentialScan);
        int length = 0;
        while (true)
        {
            int read = RandomAccess.Read(file, buffer.AsSpan(length), length);
            if (read == 0)
                return length;

            length += read;
            if (length > limits.MaxFileBytes)
                throw new IOException($"it has more than the {limits.MaxFileBytes} bytes that are read; split it");

            if (length == buffer.Length)
                Array.Resize(ref buffer, (int)Math.Min(2L * length, limits.MaxFileBytes + 1));
        }
    }
}
