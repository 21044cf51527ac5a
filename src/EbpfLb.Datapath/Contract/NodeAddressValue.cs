// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;

namespace EbpfLb.Datapath.Contract;

/// <summary>node_addrs_v1: the key is an address of this node.</summary>
[CType("lb_node_address")]
[StructLayout(LayoutKind.Explicit, Size = 4)]
public record struct NodeAddressValue
{
    [FieldOffset(0)] public NodeAddressFlags Flags;
}
