// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Agent;

/// <summary>
/// What is set for the node's own connection tracking, which goes on beside ours: the CNI, network policies and the node's firewall use
/// it. Null or 0 leaves a value as it is. The defaults are kube-proxy's.
/// </summary>
public sealed record ConntrackSysctls
{
    public static ConntrackSysctls LeaveAll { get; } = new()
    {
        MaxPerCore = 0,
        Min = 0,
        TcpEstablishedTimeout = null,
        TcpCloseWaitTimeout = null,
    };

    /// <summary>0: the limit stays, whatever <see cref="Min"/> says.</summary>
    public int MaxPerCore { get; init; } = 32_768;

    public int Min { get; init; } = 131_072;

    public TimeSpan? TcpEstablishedTimeout { get; init; } = TimeSpan.FromHours(24);

    public TimeSpan? TcpCloseWaitTimeout { get; init; } = TimeSpan.FromHours(1);

    public bool TcpBeLiberal { get; init; }

    public TimeSpan? UdpTimeout { get; init; }

    public TimeSpan? UdpStreamTimeout { get; init; }
}
