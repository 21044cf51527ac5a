// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Linux.Bpf;

/// <param name="ProgramId">The program in place now.</param>
/// <param name="CgroupId">Of cgroup links; 0 when the link is detached, or its cgroup removed.</param>
/// <param name="AttachType">Of cgroup, XDP and tcx links; the first of the enum otherwise.</param>
/// <param name="InterfaceIndex">Of XDP and tcx links; 0 when the link is detached, or its device gone.</param>
public sealed record BpfLinkInfo(
    uint Id,
    BpfLinkType Type,
    uint ProgramId,
    ulong CgroupId,
    BpfAttachType AttachType,
    int InterfaceIndex = 0);
