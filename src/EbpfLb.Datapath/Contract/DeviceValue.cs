// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Contract;

/// <summary>devices_v1: the key is an ifindex.</summary>
[CType("lb_device")]
[StructLayout(LayoutKind.Explicit, Size = 44)]
public record struct DeviceValue
{
    [FieldOffset(0)] public Address SourceV4;
    [FieldOffset(16)] public Address SourceV6;
    [FieldOffset(32)] public MacAddress Mac;
    [FieldOffset(38)] public ushort Mtu;
    [FieldOffset(40)] public DeviceFlags Flags;
}
