// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Agent;

/// <summary>The agent from start to end.</summary>
public static class AgentProcess
{
    /// <summary>Runs until SIGTERM, SIGINT or <paramref name="stopping"/>. Programs and maps stay in place.</summary>
    /// <returns>0 when it was told to stop, 1 when it could not start or go on; the reason is on standard error.</returns>
    public static Task<int> RunAsync(AgentOptions options, CancellationToken stopping) => throw new NotSupportedException();
}
