// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Datapath.Loading;

/// <summary>A program of lb_sock.bpf.c and the cgroup hook it belongs on.</summary>
public sealed record SocketHook(string Program, BpfAttachType AttachType)
{
    public bool IsIPv6 => Program.EndsWith('6');

    public static IReadOnlyList<SocketHook> All { get; } =
    [
        new("sock_connect4", BpfAttachType.CgroupInet4Connect),
        new("sock_connect6", BpfAttachType.CgroupInet6Connect),
        new("sock_sendmsg4", BpfAttachType.CgroupUdp4Sendmsg),
        new("sock_sendmsg6", BpfAttachType.CgroupUdp6Sendmsg),
        new("sock_recvmsg4", BpfAttachType.CgroupUdp4Recvmsg),
        new("sock_recvmsg6", BpfAttachType.CgroupUdp6Recvmsg),
        new("sock_getpeer4", BpfAttachType.CgroupInet4Getpeername),
        new("sock_getpeer6", BpfAttachType.CgroupInet6Getpeername),
    ];
}
