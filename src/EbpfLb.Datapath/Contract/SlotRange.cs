// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;

namespace EbpfLb.Datapath.Contract;

/// <summary>A range of slots_v1. Programs read it with one load.</summary>
[CType("lb_slot_range")]
[StructLayout(LayoutKind.Explicit, Size = 8)]
public record struct SlotRange
{
    [FieldOffset(0)] public uint Base;
    [FieldOffset(4)] public uint Count;
}
