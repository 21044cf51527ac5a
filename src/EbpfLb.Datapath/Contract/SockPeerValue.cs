// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Datapath.Contract;

/// <summary>sock_peers_v1: socket storage, written by programs only.</summary>
[CType("lb_sock_peer")]
[StructLayout(LayoutKind.Explicit, Size = 48)]
public record struct SockPeerValue
{
    [FieldOffset(0)] public Address Frontend;
    [FieldOffset(16)] public Address Backend;
    [FieldOffset(32)] public BigEndian16 FrontendPort;
    [FieldOffset(34)] public BigEndian16 BackendPort;
    [FieldOffset(36)] public uint BackendId;
    [FieldOffset(40)] public uint ServiceId;
    [FieldOffset(44)] public uint MoreFlows;
}
