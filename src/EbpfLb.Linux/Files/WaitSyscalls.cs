// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace EbpfLb.Linux.Files;

/// <summary>Waiting for a descriptor, and being told to stop.</summary>
internal static unsafe partial class WaitSyscalls
{
    private const int EFD_CLOEXEC = 0x80000;
    private const short POLLIN = 1;

    public static SafeFileHandle CreateStopSignal()
    {
        int descriptor = eventfd(0, EFD_CLOEXEC);
        return descriptor >= 0
            ? new SafeFileHandle(descriptor, ownsHandle: true)
            : throw new LinuxException("create an eventfd", (Errno)Marshal.GetLastPInvokeError());
    }

    public static void Signal(SafeFileHandle stop)
    {
        ulong one = 1;
        if (write(stop, &one, sizeof(ulong)) != sizeof(ulong))
            throw new LinuxException("signal an eventfd", (Errno)Marshal.GetLastPInvokeError());
    }

    /// <summary>True when a read gives data or an error, false when told to stop.</summary>
    public static bool UntilReadable(SafeFileHandle handle, SafeFileHandle stop, string what)
    {
        PollDescriptor* descriptors = stackalloc PollDescriptor[2];
        while (true)
        {
            descriptors[0] = new() { Descriptor = (int)handle.DangerousGetHandle(), Events = POLLIN };
            descriptors[1] = new() { Descriptor = (int)stop.DangerousGetHandle(), Events = POLLIN };
            if (poll(descriptors, 2, -1) >= 0)
                return descriptors[1].Returned == 0;
            Errno errno = (Errno)Marshal.GetLastPInvokeError();
            if (errno != Errno.EINTR)
                throw new LinuxException($"wait for {what}", errno);
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int eventfd(uint initval, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int poll(PollDescriptor* fds, nuint nfds, int timeout);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(SafeFileHandle fd, void* buffer, nuint count);

    [StructLayout(LayoutKind.Explicit, Size = 8)]
    private struct PollDescriptor
    {
        [FieldOffset(0)] public int Descriptor;
        [FieldOffset(4)] public short Events;
        [FieldOffset(6)] public short Returned;
    }
}
