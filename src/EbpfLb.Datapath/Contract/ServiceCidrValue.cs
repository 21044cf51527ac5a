// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;

namespace EbpfLb.Datapath.Contract;

[CType("lb_service_cidr")]
[StructLayout(LayoutKind.Explicit, Size = 4)]
public record struct ServiceCidrValue
{
    [FieldOffset(0)] public uint Pad;
}
