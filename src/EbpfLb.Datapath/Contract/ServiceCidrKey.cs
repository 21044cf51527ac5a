// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Contract;

/// <summary>svc_cidrs_v1: of the 128 bits of the address, so an IPv4 prefix counts 96 more.</summary>
[CType("lb_service_cidr_key")]
[StructLayout(LayoutKind.Explicit, Size = 20)]
public record struct ServiceCidrKey
{
    [FieldOffset(0)] public uint PrefixBits;
    [FieldOffset(4)] public Address Address;
}
