// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Contract;

[CType("lb_sock_flow")]
[StructLayout(LayoutKind.Explicit, Size = 28)]
public record struct SockFlowValue
{
    [FieldOffset(0)] public Address Remote;
    [FieldOffset(16)] public BigEndian16 Port;
    [FieldOffset(18)] public ushort Pad;
    [FieldOffset(20)] public uint BackendId;
    [FieldOffset(24)] public uint ServiceId;
}
