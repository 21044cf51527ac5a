// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Agent;

/// <summary>What of the kernel's own protection concerns BPF, in words for the log.</summary>
internal static class KernelHardening
{
    /// <param name="procSys">/proc/sys, or a copy of it.</param>
    /// <param name="lockdown">/sys/kernel/security/lockdown, or a copy of it.</param>
    public static IReadOnlyList<string> Find(string procSys, string lockdown)
    {
        List<string> findings = [];
        if (Read(Path.Combine(procSys, "kernel/unprivileged_bpf_disabled")) == "0")
        {
            findings.Add(
                "kernel.unprivileged_bpf_disabled is 0: every user of this node may load BPF programs. The agent has no use for that; "
                + "set it to 1 or 2");
        }

        if (Read(lockdown).Contains("[confidentiality]", StringComparison.Ordinal))
        {
            findings.Add(
                "the kernel is locked down (confidentiality): it may refuse what reads kernel memory, so sockets of backends that are gone may not be found; "
                + "packets and sockets are balanced all the same");
        }

        return findings;
    }

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The kernel does not have it, or it is not shown here.
            return "";
        }
    }
}
