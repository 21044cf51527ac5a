// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Features;

/// <summary>What the datapath asks of a kernel, as far as kernels differ in it.</summary>
public enum KernelFeature
{
    /// <summary>Links, which hold programs in place and are updated in one step.</summary>
    Links,

    /// <summary>An error number of our choice for connect() and sendmsg().</summary>
    SetRetval,

    /// <summary>The namespace a socket is in, which is what affinity knows a pod by.</summary>
    NetnsCookie,

    /// <summary>The walk through a map that the sweep of conntrack is.</summary>
    ForEachElement,

    /// <summary>Programs that the agent runs by a system call: the sweep.</summary>
    SyscallPrograms,

    Tcx,

    /// <summary>The kernel's own types, by which the list of dead sockets is loaded.</summary>
    KernelTypes,

    /// <summary>What drivers say they do for XDP.</summary>
    DriverFeatures,
}
