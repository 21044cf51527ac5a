// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Contract;

/// <summary>What sock_dead lists: a connected socket whose backend its service does not have any more.</summary>
[CType("lb_dead_socket")]
[StructLayout(LayoutKind.Explicit, Size = 64)]
public record struct DeadSocketValue
{
    [FieldOffset(0)] public ulong Cookie;
    [FieldOffset(8)] public Address Local;
    [FieldOffset(24)] public Address Remote;
    [FieldOffset(40)] public uint Netns;
    [FieldOffset(44)] public uint ServiceId;
    [FieldOffset(48)] public uint Ifindex;
    [FieldOffset(52)] public BigEndian16 LocalPort;
    [FieldOffset(54)] public BigEndian16 RemotePort;
    [FieldOffset(56)] public uint Heard;
    [FieldOffset(60)] public byte Family;
    [FieldOffset(61)] public Protocol Protocol;
    [FieldOffset(62)] public byte Pad0;
    [FieldOffset(63)] public byte Pad1;
}
