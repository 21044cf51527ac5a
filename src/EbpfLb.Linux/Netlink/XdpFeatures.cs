// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Linux.Netlink;

/// <summary>enum netdev_xdp_act: what a driver does for native XDP.</summary>
[Flags]
public enum XdpFeatures : ulong
{
    None = 0,

    /// <summary>XDP_ABORTED, DROP, PASS and TX.</summary>
    Basic = 1,

    Redirect = 2,

    /// <summary>Takes frames that another device redirects to it.</summary>
    NdoXmit = 4,

    XskZeroCopy = 8,

    HardwareOffload = 16,

    /// <summary>Programs that know of fragments receive frames of several buffers.</summary>
    ReceiveScatterGather = 32,

    NdoXmitScatterGather = 64,
}
