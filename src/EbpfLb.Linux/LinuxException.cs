// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Linux;

/// <summary>A system call failed in a way its caller is not expected to sort out.</summary>
public sealed class LinuxException : Exception
{
    /// <param name="attempt">What was attempted and on which object: "open pinned map /sys/fs/bpf/x/frontends_v1".</param>
    /// <param name="errno">Why the kernel refused.</param>
    /// <param name="detail">What the error number does not say.</param>
    public LinuxException(string attempt, Errno errno, string? detail = null)
        : base(detail is null ? $"{attempt}: {errno.Describe()}" : $"{attempt}: {errno.Describe()}: {detail}")
    {
        Errno = errno;
    }

    public Errno Errno { get; }
}
