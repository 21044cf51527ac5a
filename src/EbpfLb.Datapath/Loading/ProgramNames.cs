// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Loading;

/// <summary>Programs as their sources name them; those at socket hooks are in <see cref="SocketHook"/>.</summary>
public static class ProgramNames
{
    public const string XdpIngress = "xdp_ingress";
    public const string TcIngress = "tc_ingress";
    public const string TcEgress = "tc_egress";
    public const string TcPod = "tc_pod";
    public const string ConntrackSweep = "ct_sweep";
    public const string DeadSockets = "sock_dead";
}
