// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace EbpfLb.Linux.Processes;

public static partial class NetworkNamespace
{
    private const int CLONE_NEWNET = 0x40000000;

    /// <summary>
    /// The calling thread alone goes there, and whatever it starts from then on: for threads that belong to their caller, never for one of the
    /// pool. Mounts stay those of the process. Takes CAP_SYS_ADMIN.
    /// </summary>
    /// <param name="path">Where the namespace is mounted, such as /run/netns/NAME.</param>
    public static void EnterWithThisThread(string path)
    {
        using SafeFileHandle handle = File.OpenHandle(path);
        if (setns(handle, CLONE_NEWNET) != 0)
            throw new LinuxException($"enter the network namespace {path}", (Errno)Marshal.GetLastPInvokeError());
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setns(SafeFileHandle fd, int nstype);
}
