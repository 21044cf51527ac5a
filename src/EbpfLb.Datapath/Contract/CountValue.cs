// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;

namespace EbpfLb.Datapath.Contract;

/// <summary>reasons_v1: one per CPU.</summary>
[CType("lb_count")]
[StructLayout(LayoutKind.Explicit, Size = 16)]
public record struct CountValue
{
    [FieldOffset(0)] public ulong Packets;
    [FieldOffset(8)] public ulong Bytes;
}
