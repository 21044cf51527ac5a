// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;

namespace EbpfLb.Datapath.Contract;

/// <summary>What a sweep of conntrack_v1 is asked for, and what it did.</summary>
[CType("lb_sweep")]
[StructLayout(LayoutKind.Explicit, Size = 64)]
public record struct SweepValue
{
    [FieldOffset(0)] public uint DeadBackendSeconds;
    [FieldOffset(4)] public uint Pad;
    [FieldOffset(8)] public ulong Entries;
    [FieldOffset(16)] public ulong Expired;
    [FieldOffset(24)] public ulong Orphans;
    [FieldOffset(32)] public ulong Flows;
    [FieldOffset(40)] public ulong HalfOpen;
    [FieldOffset(48)] public ulong Lost;
    [FieldOffset(56)] public ulong Dead;
}
