// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;

namespace EbpfLb.Linux;

public static class ErrnoText
{
    /// <summary>"EPERM", or "errno 4095" for a number without a name.</summary>
    public static string Name(this Errno errno) => Enum.GetName(errno) ?? $"errno {(int)errno}";

    /// <summary>"EPERM (Operation not permitted)".</summary>
    public static string Describe(this Errno errno) => errno switch
    {
        Errno.None => "no error",
        Errno.ENOTSUPP => "ENOTSUPP (Operation not supported by this kernel)",
        _ => $"{errno.Name()} ({Marshal.GetPInvokeErrorMessage((int)errno)})",
    };
}
