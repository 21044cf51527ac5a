// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Datapath.Maps;

internal sealed class KernelSlotArray(BpfMappedArray array) : ISlotArray
{
    public uint Capacity => array.Count;

    public void Write(uint start, ReadOnlySpan<uint> backendIds) => array.Write(start, backendIds);

    public void Read(uint start, Span<uint> backendIds) => array.Read(start, backendIds);
}
