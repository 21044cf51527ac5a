// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux.Bpf;
using EbpfLb.Linux.Netlink;

namespace EbpfLb.Datapath.Devices;

/// <summary>A way of holding programs on devices. Pins tell where they were put; each look asks the kernel whether they are there.</summary>
internal interface IDeviceHold
{
    IEnumerable<DevicePin> Pins();

    /// <summary>Whether it is pinned, and on the device of that index. Cheap: no look at the device itself.</summary>
    bool IsHeld(DevicePin pin);

    bool IsInPlace(DevicePin pin, NetworkLink device);

    /// <summary>Of a pin that is there. One that is not in place is given up, and left for <see cref="Create"/>.</summary>
    /// <param name="isFresh">Whether the device was just read.</param>
    HoldState Adopt(DevicePin pin, BpfProgram program, NetworkLink device, bool isFresh);

    /// <exception cref="Linux.LinuxException">ENODEV: the device went meanwhile. Any other: it cannot be done.</exception>
    void Create(DevicePin pin, BpfProgram program);

    /// <summary>False when it stays; that was logged.</summary>
    bool TryRemove(DevicePin pin);
}

internal enum HoldState
{
    Absent,

    /// <summary>It was made, but is not on its device.</summary>
    Lost,

    Updated,

    Kept,
}
