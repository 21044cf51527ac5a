// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Linux.Netlink;

/// <param name="HardwareType">ARPHRD_*: 1 is Ethernet, 772 loopback.</param>
/// <param name="IsUp">Set up by its administrator; says nothing of the carrier.</param>
/// <param name="Kind">"veth", "vxlan", "bridge" ...; empty for hardware and the loopback.</param>
/// <param name="MasterIndex">The bridge, bond or VRF it is in; 0 for none.</param>
/// <param name="ParentIndex">
/// The device below a VLAN or macvlan, the peer of a veth; 0 for none. May be an index of another network namespace.
/// </param>
/// <param name="XdpProgramId">0 when there is none.</param>
/// <param name="XdpMode">Where XDP programs are in place; more than one flag only with offloading hardware.</param>
public sealed record NetworkLink(
    int Index,
    string Name,
    ushort HardwareType,
    bool IsUp,
    uint Mtu,
    HardwareAddress MacAddress,
    string Kind,
    int MasterIndex,
    int ParentIndex,
    uint XdpProgramId = 0,
    XdpMode XdpMode = XdpMode.None);
