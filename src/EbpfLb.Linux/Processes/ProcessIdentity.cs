// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;

namespace EbpfLb.Linux.Processes;

public static partial class ProcessIdentity
{
    public static uint EffectiveUid => geteuid();

    [LibraryImport("libc")]
    private static partial uint geteuid();
}
