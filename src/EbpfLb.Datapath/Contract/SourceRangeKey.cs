// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Contract;

/// <summary>src_ranges_v1: service id and prefix in one, so an IPv4 prefix counts 32 + 96 more, an IPv6 one 32.</summary>
[CType("lb_source_range_key")]
[StructLayout(LayoutKind.Explicit, Size = 24)]
public record struct SourceRangeKey
{
    [FieldOffset(0)] public uint PrefixBits;
    [FieldOffset(4)] public uint ServiceId;
    [FieldOffset(8)] public Address Address;
}
