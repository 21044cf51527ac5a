// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Contract;

/// <summary>sock_flows_v1, written by programs only.</summary>
[CType("lb_sock_flow_key")]
[StructLayout(LayoutKind.Explicit, Size = 32)]
public record struct SockFlowKey
{
    [FieldOffset(0)] public ulong SocketCookie;
    [FieldOffset(8)] public Address Remote;
    [FieldOffset(24)] public BigEndian16 Port;
    [FieldOffset(26)] public SockFlowDirection Direction;
    [FieldOffset(27)] public byte Pad0;
    [FieldOffset(28)] public byte Pad1;
    [FieldOffset(29)] public byte Pad2;
    [FieldOffset(30)] public byte Pad3;
    [FieldOffset(31)] public byte Pad4;
}
