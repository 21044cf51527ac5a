// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Datapath.Maps;

internal sealed class KernelSlotArray(BpfMappedArray array) : ISlotArray
{
    private BpfMappedArray _array = array;

    public uint Capacity => _array.Count;

    public void Write(uint start, ReadOnlySpan<uint> backendIds) => _array.Write(start, backendIds);

    public void Read(uint start, Span<uint> backendIds) => _array.Read(start, backendIds);

    /// <summary>Returns the one before.</summary>
    public BpfMappedArray Use(BpfMappedArray array)
    {
        var before = _array;
        _array = array;
        return before;
    }
}
