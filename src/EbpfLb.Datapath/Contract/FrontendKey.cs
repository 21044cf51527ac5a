// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Contract;

/// <summary>frontends_v1: what a client dials.</summary>
[CType("lb_frontend_key")]
[StructLayout(LayoutKind.Explicit, Size = 20)]
public record struct FrontendKey
{
    [FieldOffset(0)] public Address Address;
    [FieldOffset(16)] public BigEndian16 Port;
    [FieldOffset(18)] public Protocol Protocol;
    [FieldOffset(19)] public byte Pad;
}
