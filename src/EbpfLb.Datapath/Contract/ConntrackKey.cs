// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Contract;

/// <summary>conntrack_v1: a packet as it arrives at a hook.</summary>
[CType("lb_conntrack_key")]
[StructLayout(LayoutKind.Explicit, Size = 40)]
public record struct ConntrackKey
{
    [FieldOffset(0)] public Address Source;
    [FieldOffset(16)] public Address Destination;
    [FieldOffset(32)] public BigEndian16 SourcePort;
    [FieldOffset(34)] public BigEndian16 DestinationPort;
    [FieldOffset(36)] public Protocol Protocol;
    [FieldOffset(37)] public Side Side;
    [FieldOffset(38)] public ushort Pad;
}
