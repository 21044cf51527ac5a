// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Datapath.Maps;

/// <summary>A map whose place another one of the kernel can take, with the same entries and room for more.</summary>
internal interface IReplaceableMap
{
    void Use(BpfMap map);
}
