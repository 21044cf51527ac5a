// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;

namespace EbpfLb.Datapath.Contract;

[CType("lb_affinity")]
[StructLayout(LayoutKind.Explicit, Size = 16)]
public record struct AffinityValue
{
    [FieldOffset(0)] public ulong LastUsedNs;
    [FieldOffset(8)] public uint BackendId;
    [FieldOffset(12)] public uint Pad;
}
