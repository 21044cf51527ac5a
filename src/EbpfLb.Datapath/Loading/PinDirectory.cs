// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux;
using EbpfLb.Linux.Files;
using EbpfLb.Linux.Processes;

namespace EbpfLb.Datapath.Loading;

/// <summary>
/// <c>ebpflb</c> on a BPF file system: the maps, <c>programs/HASH/</c> and <c>links/</c>. A BPF file system is often writable for
/// everybody, so the directory is ours alone (0700) and its owner is checked. Its lock is what makes an agent the only one.
/// </summary>
public sealed class PinDirectory : IDisposable
{
    private const string Name = "ebpflb";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private DirectoryHandle _handle;

    private PinDirectory(DirectoryHandle handle) => _handle = handle;

    public string Path => _handle.Path;

    public string Links => System.IO.Path.Combine(Path, "links");

    /// <summary>Where the programs of tc filters are pinned: see <see cref="Devices.ClsactHold"/>.</summary>
    public string Filters => System.IO.Path.Combine(Path, "filters");

    public string Programs => System.IO.Path.Combine(Path, "programs");

    /// <summary>Where maps wait until they are complete.</summary>
    internal string Staging => System.IO.Path.Combine(Path, "staging");

    /// <summary>Maps that are complete and about to take the place of those of their names; there only while that is done.</summary>
    internal string Next => System.IO.Path.Combine(Path, "next");

    public string Map(string name) => System.IO.Path.Combine(Path, name);

    /// <param name="bpffs">A mounted BPF file system, or null to find one.</param>
    /// <exception cref="DatapathException">There is none, or the directory is not safe to use.</exception>
    public static PinDirectory OpenOrCreate(string? bpffs)
    {
        string path = System.IO.Path.Combine(BpfFileSystems.Resolve(bpffs, mayMount: true), Name);
        try
        {
            if (!DirectoryHandle.TryOpen(path, out var handle))
            {
                Directory.CreateDirectory(path, OwnerOnly);
                handle = DirectoryHandle.Open(path);
            }

            return Checked(handle);
        }
        catch (LinuxException exception)
        {
            throw Unusable(path, exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new DatapathException(
                $"{path} cannot be created: {exception.Message} The BPF file system must be writable for the agent (it runs as root).", exception);
        }
    }

    /// <summary>For commands that read: null when no agent has run here.</summary>
    public static PinDirectory? TryOpen(string? bpffs)
    {
        string path = System.IO.Path.Combine(BpfFileSystems.Resolve(bpffs, mayMount: false), Name);
        try
        {
            return DirectoryHandle.TryOpen(path, out var handle) ? Checked(handle) : null;
        }
        catch (LinuxException exception)
        {
            throw Unusable(path, exception);
        }
    }

    /// <summary>Held until this is disposed or the process ends, however it ends.</summary>
    /// <exception cref="DatapathException">Another agent has it; the message names its process.</exception>
    /// <param name="wayOut">What the user can do about it.</param>
    public void Lock(string wayOut = "Stop it first, or give this one its own --bpffs and --cgroup.")
    {
        if (_handle.TryLockExclusive())
        {
            // A lock on a directory that a cleanup removed in between would be nobody else's concern.
            using var current = DirectoryHandle.Open(Path);
            if (current.Stat().Inode == _handle.Stat().Inode)
                return;

            throw new DatapathException($"{Path} was replaced while it was being opened. Start again.");
        }

        string holder = _handle.FindLockHolder() is { } pid ? $"process {pid}" : "a process of another PID namespace";
        throw new DatapathException(
            $"{Path} is locked by {holder}: another ebpflb agent runs on this node. {wayOut}");
    }

    /// <summary>As <see cref="Lock"/>, but whoever only looks whether an agent runs, and has the lock for that moment, is waited for.</summary>
    /// <exception cref="DatapathException">Another agent has it.</exception>
    internal async Task LockAsync(CancellationToken stopping)
    {
        const int Tries = 10;
        for (int attempt = 1; attempt < Tries && !_handle.TryLockExclusive(); attempt++)
            await Task.Delay(TimeSpan.FromMilliseconds(100), stopping).ConfigureAwait(false);
        Lock();
    }

    /// <summary>For a moment this takes the lock itself, if nobody has it.</summary>
    internal bool IsLockedByOthers() => !_handle.TryLockExclusive();

    /// <summary>For whoever has the lock: makes the directory anew, and takes its lock, if somebody removed it.</summary>
    /// <returns>Whether somebody had.</returns>
    /// <exception cref="DatapathException">Another agent has taken its place.</exception>
    internal bool PutBack()
    {
        if (DirectoryHandle.TryOpen(Path, out var current))
        {
            using (current)
            {
                if (current.Stat().Inode == _handle.Stat().Inode)
                    return false;
            }
        }

        Directory.CreateDirectory(Path, OwnerOnly);
        var anew = Checked(DirectoryHandle.Open(Path));
        try
        {
            anew.Lock("Stop one of them.");
        }
        catch
        {
            anew.Dispose();
            throw;
        }

        _handle.Dispose();
        _handle = anew._handle;
        return true;
    }

    /// <summary>The process that runs the agent; null when none does, or it cannot be seen from here.</summary>
    public int? FindAgent() => _handle.FindLockHolder();

    public void Dispose() => _handle.Dispose();

    private static PinDirectory Checked(DirectoryHandle handle)
    {
        var status = handle.Stat();
        if (status.Uid != ProcessIdentity.EffectiveUid || (status.Mode & ~OwnerOnly & (UnixFileMode)0xfff) != 0)
        {
            handle.Dispose();
            throw new DatapathException(
                $"{handle.Path} belongs to uid {status.Uid} and has mode 0{Convert.ToString((int)status.Mode & 0xfff, 8)}; it must belong to "
                + $"uid {ProcessIdentity.EffectiveUid} with mode 0700. Somebody else made it: check what is in it, remove it, and start again.");
        }

        return new PinDirectory(handle);
    }

    private static DatapathException Unusable(string path, LinuxException exception) => new(
        exception.Errno is Errno.ELOOP or Errno.ENOTDIR
            ? $"{path} is not a directory but a symbolic link or a file. Somebody else made it: check it, remove it, and start again."
            : $"{path} cannot be used: {exception.Message}",
        exception);
}
