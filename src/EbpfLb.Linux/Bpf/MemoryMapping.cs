// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;

namespace EbpfLb.Linux.Bpf;

/// <summary>mmap(2) and munmap(2) of a descriptor, shared.</summary>
internal sealed unsafe partial class MemoryMapping : SafeHandle
{
    private const int PROT_READ = 1;
    private const int PROT_WRITE = 2;
    private const int MAP_SHARED = 1;
    private static readonly nint MapFailed = -1;

    private readonly nuint _length;

    private MemoryMapping(nint address, nuint length)
        : base(MapFailed, ownsHandle: true)
    {
        _length = length;
        SetHandle(address);
    }

    public override bool IsInvalid => handle == MapFailed;

    public byte* Pointer => (byte*)handle;

    public static Errno TryCreate(SafeHandle descriptor, nuint length, bool writable, out MemoryMapping? mapping)
    {
        nint address = mmap(0, length, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, descriptor, 0);
        Errno errno = address == MapFailed ? (Errno)Marshal.GetLastPInvokeError() : Errno.None;
        mapping = errno == Errno.None ? new MemoryMapping(address, length) : null;
        return errno;
    }

    protected override bool ReleaseHandle() => munmap(handle, _length) == 0;

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint mmap(nint addr, nuint length, int prot, int flags, SafeHandle fd, long offset);

    [LibraryImport("libc")]
    private static partial int munmap(nint addr, nuint length);
}
