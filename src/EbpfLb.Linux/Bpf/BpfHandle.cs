// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using Microsoft.Win32.SafeHandles;

namespace EbpfLb.Linux.Bpf;

/// <summary>A descriptor of a map, program, link or BTF object. bpf(2) makes them all close-on-exec.</summary>
public sealed partial class BpfHandle : SafeHandleMinusOneIsInvalid
{
    internal BpfHandle(int descriptor)
        : base(ownsHandle: true)
    {
        SetHandle(descriptor);
    }

    // Linux releases the descriptor whatever close says; a second close could hit somebody else's.
    protected override bool ReleaseHandle() => close((int)handle) == 0;

    [System.Runtime.InteropServices.LibraryImport("libc")]
    private static partial int close(int fd);
}
