// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Contract;

/// <summary>affinity_v1.</summary>
[CType("lb_affinity_key")]
[StructLayout(LayoutKind.Explicit, Size = 24)]
public record struct AffinityKey
{
    [FieldOffset(0)] public Address Client;
    [FieldOffset(16)] public uint ServiceId;
    [FieldOffset(20)] public ClientKind ClientKind;
    [FieldOffset(21)] public byte Pad0;
    [FieldOffset(22)] public byte Pad1;
    [FieldOffset(23)] public byte Pad2;
}
