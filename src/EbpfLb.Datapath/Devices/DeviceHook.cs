// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Devices;

/// <summary>Where on a device a program runs.</summary>
public enum DeviceHook
{
    /// <summary>First in this order: what turns replies back is there before anything is turned.</summary>
    TcxEgress,

    /// <summary>Of an uplink.</summary>
    TcxIngress,

    /// <summary>The same hook, of a pod's device.</summary>
    TcxPod,

    Xdp,
}
