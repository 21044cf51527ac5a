// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Devices;

public enum DeviceRole
{
    /// <summary>A wire: what comes in is from other machines.</summary>
    Uplink,

    /// <summary>The node's end of a pod's device: what comes in is from the pod.</summary>
    Pod,
}
