// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;

namespace EbpfLb.Datapath.Contract;

[CType("lb_source_range")]
[StructLayout(LayoutKind.Explicit, Size = 4)]
public record struct SourceRangeValue
{
    [FieldOffset(0)] public uint Pad;
}
