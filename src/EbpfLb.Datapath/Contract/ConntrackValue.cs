// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Contract;

/// <summary>conntrack_v1: what becomes of the packet. <c>Seen</c> and <c>Checked</c> are CLOCK_MONOTONIC nanoseconds shifted right by 20.</summary>
[CType("lb_conntrack")]
[StructLayout(LayoutKind.Explicit, Size = 104)]
public record struct ConntrackValue
{
    [FieldOffset(0)] public Address Source;
    [FieldOffset(16)] public Address Destination;
    [FieldOffset(32)] public BigEndian16 SourcePort;
    [FieldOffset(34)] public BigEndian16 DestinationPort;
    [FieldOffset(36)] public ConntrackFlags Flags;
    [FieldOffset(38)] public ushort Mtu;
    [FieldOffset(40)] public uint Seen;
    [FieldOffset(44)] public uint Checked;
    [FieldOffset(48)] public ulong Bytes;
    [FieldOffset(56)] public uint Packets;
    [FieldOffset(60)] public uint Generation;
    [FieldOffset(64)] public uint Ifindex;
    [FieldOffset(68)] public MacAddress DestinationMac;
    [FieldOffset(74)] public MacAddress SourceMac;
    [FieldOffset(80)] public MacAddress ArrivalMac;
    [FieldOffset(86)] public ushort AddressDelta;
    [FieldOffset(88)] public uint BackendId;
    [FieldOffset(92)] public uint FoldedPackets;
    [FieldOffset(96)] public ulong FoldedBytes;
}
