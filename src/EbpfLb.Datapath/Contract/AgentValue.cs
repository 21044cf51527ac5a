// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;

namespace EbpfLb.Datapath.Contract;

/// <summary>agent_v1: one element. Times are CLOCK_MONOTONIC.</summary>
[CType("lb_agent")]
[StructLayout(LayoutKind.Explicit, Size = 272)]
public struct AgentValue
{
    [FieldOffset(0)] public ulong StartedNs;
    [FieldOffset(8)] public ulong SyncedNs;
    [FieldOffset(16)] public ulong Syncs;
    [FieldOffset(24)] public uint Pid;
    [FieldOffset(28)] public uint Services;
    [FieldOffset(32)] public uint Failed;
    [FieldOffset(36)] public uint Problems;
    [FieldOffset(40)] public uint LastServiceId;
    [FieldOffset(44)] public uint LastBackendId;
    [FieldOffset(48)] public Text32 Version;
    [FieldOffset(80)] public Text64 Node;
    [FieldOffset(144)] public Text128 Source;
}
