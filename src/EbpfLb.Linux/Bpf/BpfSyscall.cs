// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;

namespace EbpfLb.Linux.Bpf;

/// <summary>bpf(2), which libc does not wrap.</summary>
internal static unsafe partial class BpfSyscall
{
    // The kernel answers EAGAIN when a signal or a busy resource interrupted it before it changed anything. Bounded, so that a kernel that
    // keeps saying so is reported and not waited for.
    private const int MaxAgain = 64;

    private static readonly nint Number = RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => 321,
        Architecture.Arm64 => 280,
        var other => throw new PlatformNotSupportedException($"the number of bpf(2) is not known for {other}"),
    };

    /// <summary>For commands whose attributes the kernel leaves as they were when it fails.</summary>
    public static Errno Invoke<TAttr>(BpfCommand command, ref TAttr attr, out int result)
        where TAttr : unmanaged
    {
        for (int again = 0; ; again++)
        {
            Errno errno = InvokeOnce(command, ref attr, out result);
            if (errno != Errno.EINTR && (errno != Errno.EAGAIN || again == MaxAgain))
                return errno;
        }
    }

    /// <summary>For commands that write to their attributes before they fail: the caller sets them up again and retries.</summary>
    public static Errno InvokeOnce<TAttr>(BpfCommand command, ref TAttr attr, out int result)
        where TAttr : unmanaged
    {
        fixed (TAttr* pointer = &attr)
        {
            nint returned = syscall(Number, (nint)command, pointer, (nuint)sizeof(TAttr));
            result = (int)returned;
            return returned < 0 ? (Errno)Marshal.GetLastPInvokeError() : Errno.None;
        }
    }

    // Variadic in C. On Linux both x86-64 and arm64 pass variadic integers as they pass named ones.
    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint command, void* attr, nuint size);
}
