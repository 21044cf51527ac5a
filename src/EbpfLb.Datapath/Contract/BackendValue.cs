// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Contract;

/// <summary>backends_v1: address, port and service of an id never change while it lives.</summary>
[CType("lb_backend")]
[StructLayout(LayoutKind.Explicit, Size = 24)]
public record struct BackendValue
{
    [FieldOffset(0)] public Address Address;
    [FieldOffset(16)] public BigEndian16 Port;
    [FieldOffset(18)] public Protocol Protocol;
    [FieldOffset(19)] public BackendFlags Flags;
    [FieldOffset(20)] public uint ServiceId;
}
