// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Maps;

/// <summary>slots_v1: an array that the agent writes with plain stores.</summary>
public interface ISlotArray
{
    uint Capacity { get; }

    /// <summary>
    /// Writes slots no program can reach yet. What is published afterwards by a map write is seen after these stores: a system call
    /// is a full barrier.
    /// </summary>
    void Write(uint start, ReadOnlySpan<uint> backendIds);

    void Read(uint start, Span<uint> backendIds);
}
