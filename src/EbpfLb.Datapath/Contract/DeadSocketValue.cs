// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Contract;

/// <summary>What sock_dead lists: a connected UDP socket whose backend its service does not have any more.</summary>
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
    [FieldOffset(56)] public byte Family;
    [FieldOffset(57)] public byte Pad0;
    [FieldOffset(58)] public byte Pad1;
    [FieldOffset(59)] public byte Pad2;
    [FieldOffset(60)] public byte Pad3;
    [FieldOffset(61)] public byte Pad4;
    [FieldOffset(62)] public byte Pad5;
    [FieldOffset(63)] public byte Pad6;
}
