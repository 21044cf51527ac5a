// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Maps;

// Zeroes at first, as the kernel's.
internal sealed class InMemoryNodePortSettings : INodePortSettings
{
    public NodePortRange Range { get; set; }
}
