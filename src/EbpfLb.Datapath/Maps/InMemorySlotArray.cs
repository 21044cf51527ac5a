// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Maps;

public sealed class InMemorySlotArray(uint capacity) : ISlotArray
{
    private readonly uint[] _slots = new uint[capacity];

    public uint Capacity => capacity;

    public long SlotsWritten { get; private set; }

    public void Write(uint start, ReadOnlySpan<uint> backendIds)
    {
        SlotsWritten += backendIds.Length;
        backendIds.CopyTo(_slots.AsSpan((int)start, backendIds.Length));
    }

    public void Read(uint start, Span<uint> backendIds) => _slots.AsSpan((int)start, backendIds.Length).CopyTo(backendIds);
}
