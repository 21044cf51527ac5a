// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Features;

/// <param name="Name">In logs and on the command line.</param>
/// <param name="Since">The first Linux that has it.</param>
/// <param name="Without">What happens where it is missing; null where nothing works then.</param>
public sealed record FeatureNeed(KernelFeature Feature, string Name, string Since, string? Without)
{
    public static IReadOnlyList<FeatureNeed> All { get; } =
    [
        new(KernelFeature.Links, "links", "5.9", null),
        new(KernelFeature.SetRetval, "set-retval", "6.1", null),
        new(KernelFeature.NetnsCookie, "netns-cookie", "5.7", null),
        new(KernelFeature.ForEachElement, "for-each-element", "5.13", null),
        new(KernelFeature.SyscallPrograms, "syscall-programs", "5.14", null),
        new(KernelFeature.Tcx, "tcx", "6.6", "filters of clsact take its place"),
        new(KernelFeature.KernelTypes, "kernel-types", "5.4", "UDP sockets stay connected to backends that are gone"),
        new(KernelFeature.DriverFeatures, "driver-features", "6.3", "XDP leaves to tc what it would send out of another device or a veth"),
    ];

    public bool IsRequired => Without is null;
}
