// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux.Processes;

namespace EbpfLb.Agent;

/// <summary>What the agent gives away before it begins.</summary>
public static class AgentPrivileges
{
    /// <summary>
    /// For a process that is the agent's alone, before anything else: it may be executed anew, and then this does not return. After that
    /// neither it nor what it starts has more capabilities than the agent has a use for, and its memory is in no core dump.
    /// </summary>
    /// <exception cref="EbpfLb.Linux.LinuxException">The process may give away what it has and could not be executed anew.</exception>
    public static void Reduce()
    {
        LeastPrivilege.Enter();
        LeastPrivilege.ForbidDumps();
    }
}
