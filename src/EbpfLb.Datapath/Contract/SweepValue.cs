// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;

namespace EbpfLb.Datapath.Contract;

/// <summary>What a sweep of conntrack_v1 did.</summary>
[CType("lb_sweep")]
[StructLayout(LayoutKind.Explicit, Size = 40)]
public record struct SweepValue
{
    [FieldOffset(0)] public ulong Entries;
    [FieldOffset(8)] public ulong Expired;
    [FieldOffset(16)] public ulong Orphans;
    [FieldOffset(24)] public ulong Flows;
    [FieldOffset(32)] public ulong HalfOpen;
}
