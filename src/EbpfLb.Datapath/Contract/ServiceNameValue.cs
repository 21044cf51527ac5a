// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Contract;

/// <summary>svc_names_v1: the key is a service id.</summary>
[CType("lb_service_name")]
[StructLayout(LayoutKind.Explicit, Size = 196)]
public struct ServiceNameValue
{
    [FieldOffset(0)] public NameText Name;
    [FieldOffset(192)] public Protocol Protocol;
    [FieldOffset(193)] public AddressFamily Family;
    [FieldOffset(194)] public ushort Pad;
}
