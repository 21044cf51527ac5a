// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;

namespace EbpfLb.Datapath.Contract;

[CType("lb_frontend")]
[StructLayout(LayoutKind.Explicit, Size = 8)]
public record struct FrontendValue
{
    [FieldOffset(0)] public uint ServiceId;
    [FieldOffset(4)] public FrontendFlags Flags;
}
