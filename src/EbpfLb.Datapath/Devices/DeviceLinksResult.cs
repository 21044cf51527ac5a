// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Devices;

/// <param name="Created">New links, over every device and hook.</param>
/// <param name="Updated">Got another program in one step.</param>
/// <param name="Kept">Had the right one.</param>
/// <param name="Removed">Of devices that have gone or are not chosen any more.</param>
/// <param name="Failed">Hooks that should hold our program and do not.</param>
/// <param name="Refused">Those of them that the kernel refuses; the others' device went meanwhile, or waits for another of its hooks.</param>
/// <param name="Attached">Devices by index, with the hooks that hold our program.</param>
public sealed record DeviceLinksResult(
    int Created, int Updated, int Kept, int Removed, int Failed, IReadOnlyList<DeviceRefusal> Refused,
    IReadOnlyDictionary<int, IReadOnlyList<DeviceHook>> Attached);
