// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;

namespace EbpfLb.Datapath.Contract;

[CType("lb_fragment")]
[StructLayout(LayoutKind.Explicit, Size = 8)]
public record struct FragmentValue
{
    [FieldOffset(0)] public BigEndian16 SourcePort;
    [FieldOffset(2)] public BigEndian16 DestinationPort;
    [FieldOffset(4)] public uint Seen;
}
