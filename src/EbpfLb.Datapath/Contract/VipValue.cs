// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Contract;

/// <summary>vips_v1: the key is an <see cref="Address"/>.</summary>
[CType("lb_vip")]
[StructLayout(LayoutKind.Explicit, Size = 4)]
public record struct VipValue
{
    [FieldOffset(0)] public VipFlags Flags;
}
