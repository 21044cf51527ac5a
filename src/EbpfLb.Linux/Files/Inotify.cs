// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Buffers.Binary;
using System.Text;
using System.Threading.Channels;
using Microsoft.Win32.SafeHandles;

namespace EbpfLb.Linux.Files;

/// <summary>
/// Watches the names of one directory. The watch is in place when the constructor returns: a look at the directory after that misses nothing.
/// Until the first <see cref="ReadAllAsync"/> events wait in the kernel's queue; from then on a thread of its own moves them along.
/// </summary>
public sealed class Inotify : IDisposable
{
    // struct inotify_event: wd, mask, cookie, len; then the name, padded with zeros to len.
    private const int HeaderSize = 16;
    private const int MaskOffset = 4;
    private const int LengthOffset = 12;
    private const int BufferSize = 64 * 1024;

    private readonly SafeFileHandle _inotify;
    private readonly SafeFileHandle _stop;
    private readonly Thread _reader;
    private readonly Lock _lifetime = new();
    private readonly Channel<InotifyEvent> _events = Channel.CreateUnbounded<InotifyEvent>(new() { SingleWriter = true });

    private bool _started;
    private bool _disposed;

    public Inotify(string directory)
    {
        Directory = directory;
        _inotify = InotifySyscalls.Watch(directory);
        try
        {
            _stop = WaitSyscalls.CreateStopSignal();
        }
        catch
        {
            _inotify.Dispose();
            throw;
        }

        _reader = new Thread(ReadLoop) { IsBackground = true, Name = "inotify" };
    }

    public string Directory { get; }

    /// <summary>Ends after <see cref="InotifyKind.DirectoryGone"/> and on disposal.</summary>
    public IAsyncEnumerable<InotifyEvent> ReadAllAsync(CancellationToken stopping)
    {
        lock (_lifetime)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (!_started)
                _reader.Start();
            _started = true;
        }

        return _events.Reader.ReadAllAsync(stopping);
    }

    public void Dispose()
    {
        lock (_lifetime)
        {
            if (_disposed)
                return;
            _disposed = true;
        }

        if (_started)
        {
            WaitSyscalls.Signal(_stop);
            _reader.Join();
        }

        _events.Writer.TryComplete();
        _inotify.Dispose();
        _stop.Dispose();
    }

    private void ReadLoop()
    {
        byte[] buffer = new byte[BufferSize];
        try
        {
            while (InotifySyscalls.Read(_inotify, _stop, buffer) is > 0 and var length)
            {
                if (!Publish(buffer.AsSpan(0, length)))
                    break;
            }

            _events.Writer.TryComplete();
        }
        catch (LinuxException exception)
        {
            _events.Writer.TryComplete(exception);
        }
    }

    /// <summary>False once the directory is gone.</summary>
    private bool Publish(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= HeaderSize)
        {
            uint mask = BinaryPrimitives.ReadUInt32LittleEndian(bytes[MaskOffset..]);
            int length = BinaryPrimitives.ReadInt32LittleEndian(bytes[LengthOffset..]);
            ReadOnlySpan<byte> name = bytes.Slice(HeaderSize, length);
            bytes = bytes[(HeaderSize + length)..];
            if (KindOf(mask) is { } kind)
            {
                _events.Writer.TryWrite(new(kind, length == 0 ? null : Encoding.UTF8.GetString(name.TrimEnd((byte)0))));
                if (kind == InotifyKind.DirectoryGone)
                    return false;
            }
        }

        return true;
    }

    private static InotifyKind? KindOf(uint mask)
    {
        const uint Gone = InotifySyscalls.IN_DELETE_SELF | InotifySyscalls.IN_MOVE_SELF | InotifySyscalls.IN_UNMOUNT | InotifySyscalls.IN_IGNORED;
        if ((mask & InotifySyscalls.IN_Q_OVERFLOW) != 0)
            return InotifyKind.Overflow;
        if ((mask & Gone) != 0)
            return InotifyKind.DirectoryGone;
        if ((mask & InotifySyscalls.IN_CLOSE_WRITE) != 0)
            return InotifyKind.Written;
        if ((mask & InotifySyscalls.IN_MOVED_TO) != 0)
            return InotifyKind.MovedTo;
        if ((mask & InotifySyscalls.IN_MOVED_FROM) != 0)
            return InotifyKind.MovedFrom;
        if ((mask & InotifySyscalls.IN_DELETE) != 0)
            return InotifyKind.Deleted;
        if ((mask & InotifySyscalls.IN_CREATE) != 0)
            return InotifyKind.Created;
        return (mask & InotifySyscalls.IN_ATTRIB) != 0 ? InotifyKind.AttributesChanged : null;
    }
}
