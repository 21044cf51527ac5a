// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;

namespace EbpfLb.Linux.Bpf;

/// <summary>A program that the kernel runs over every element of a map, and whose output is read like a file.</summary>
public sealed unsafe partial class BpfMapIterator : IDisposable
{
    // As much as the kernel collects before it hands over.
    private const int BufferSize = 32 * 1024;

    private readonly string _name;
    private readonly BpfHandle _link;

    private BpfMapIterator(string name, BpfHandle link)
    {
        _name = name;
        _link = link;
    }

    /// <summary>The map lives as long as the iterator.</summary>
    public static BpfMapIterator Attach(BpfProgram program, BpfMap map)
    {
        using Lease programLease = new(program.Handle);
        using Lease mapLease = new(map.Handle);
        uint mapDescriptor = mapLease.Descriptor;
        BpfAttr.LinkCreateIterator attr = new()
        {
            ProgFd = programLease.Descriptor,
            AttachType = (uint)BpfAttachType.TraceIter,
            IterInfo = (ulong)&mapDescriptor,
            IterInfoLen = sizeof(uint),
        };
        Errno errno = BpfSyscall.Invoke(BpfCommand.LinkCreate, ref attr, out int descriptor);
        return errno == Errno.None
            ? new BpfMapIterator(program.Info.Name, new BpfHandle(descriptor))
            : throw new LinuxException($"attach iterator {program.Info.Name} to map {map.Info.Name}", errno);
    }

    /// <summary>
    /// Walks once over the map, in several steps when there is much to read. Elements that come or go between two steps may make the walk
    /// miss another, or show it twice.
    /// </summary>
    /// <typeparam name="TRecord">What the program writes: records of this size and nothing else.</typeparam>
    public List<TRecord> Read<TRecord>()
        where TRecord : unmanaged
    {
        List<TRecord> records = [];
        using BpfHandle walk = Begin();
        byte[] buffer = new byte[BufferSize];
        int filled = 0;
        while (ReadSome(walk, buffer.AsSpan(filled)) is > 0 and var count)
        {
            filled += count;
            ReadOnlySpan<TRecord> whole = MemoryMarshal.Cast<byte, TRecord>(buffer.AsSpan(0, filled));
            records.AddRange(whole);
            int taken = whole.Length * sizeof(TRecord);
            buffer.AsSpan(taken, filled - taken).CopyTo(buffer);
            filled -= taken;
        }

        return filled == 0
            ? records
            : throw new LinuxException($"read iterator {_name}", Errno.EBADMSG, $"{filled} bytes are left of records of {sizeof(TRecord)}");
    }

    public void Dispose() => _link.Dispose();

    private BpfHandle Begin()
    {
        using Lease lease = new(_link);
        BpfAttr.IterCreate attr = new() { LinkFd = lease.Descriptor };
        Errno errno = BpfSyscall.Invoke(BpfCommand.IterCreate, ref attr, out int descriptor);
        return errno == Errno.None ? new BpfHandle(descriptor) : throw new LinuxException($"begin a walk of iterator {_name}", errno);
    }

    private int ReadSome(BpfHandle walk, Span<byte> buffer)
    {
        fixed (byte* pointer = buffer)
        {
            while (true)
            {
                nint count = read(walk, pointer, (nuint)buffer.Length);
                if (count >= 0)
                    return (int)count;
                Errno errno = (Errno)Marshal.GetLastPInvokeError();
                if (errno != Errno.EINTR)
                    throw new LinuxException($"read iterator {_name}", errno);
            }
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(BpfHandle fd, void* buffer, nuint count);
}
