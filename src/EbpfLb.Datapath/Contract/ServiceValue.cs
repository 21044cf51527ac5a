// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Contract;

/// <summary>services_v1: one per service port and family.</summary>
[CType("lb_service")]
[StructLayout(LayoutKind.Explicit, Size = 24)]
public record struct ServiceValue
{
    [FieldOffset(0)] public SlotRange Cluster;
    [FieldOffset(8)] public SlotRange Local;
    [FieldOffset(16)] public uint AffinityTimeoutSeconds;
    [FieldOffset(20)] public Algorithm Algorithm;
    [FieldOffset(21)] public ServiceFlags Flags;
    [FieldOffset(22)] public ushort Pad;
}
