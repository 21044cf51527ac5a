// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Devices;

/// <summary>A hook that should hold our program and cannot be given it.</summary>
/// <param name="Device">Its name.</param>
/// <param name="Cause">Which program has the place if <paramref name="IsOccupied"/>, else what the kernel said.</param>
/// <param name="IsOccupied">Somebody else's XDP program is there.</param>
public sealed record DeviceRefusal(string Device, DeviceHook Hook, string Cause, bool IsOccupied);
