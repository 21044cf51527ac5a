// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Contract;

/// <summary>fragments_v1: the id is in network order, as in the packet.</summary>
[CType("lb_fragment_key")]
[StructLayout(LayoutKind.Explicit, Size = 40)]
public record struct FragmentKey
{
    [FieldOffset(0)] public Address Source;
    [FieldOffset(16)] public Address Destination;
    [FieldOffset(32)] public uint Id;
    [FieldOffset(36)] public Protocol Protocol;
    [FieldOffset(37)] public Side Side;
    [FieldOffset(38)] public ushort Pad;
}
