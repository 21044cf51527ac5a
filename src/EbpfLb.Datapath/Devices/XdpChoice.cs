// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Devices;

public enum XdpChoice
{
    /// <summary>Native where the driver can; never generic, which is slower than tc.</summary>
    Auto,

    /// <summary>As auto, and a device whose driver cannot is warned about.</summary>
    Native,

    /// <summary>In the stack, for tests of drivers without XDP.</summary>
    Generic,

    /// <summary>tc only.</summary>
    Off,
}
