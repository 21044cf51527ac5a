// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Linux.Bpf;

/// <summary>XDP_FLAGS_*_MODE: who runs the program. A device runs generic and native programs not at the same time.</summary>
[Flags]
public enum XdpMode
{
    None = 0,

    /// <summary>The network stack, with every driver.</summary>
    Generic = 1 << 1,

    /// <summary>The driver.</summary>
    Native = 1 << 2,

    /// <summary>The hardware.</summary>
    Offloaded = 1 << 3,
}
