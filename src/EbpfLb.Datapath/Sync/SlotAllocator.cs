// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;

namespace EbpfLb.Datapath.Sync;

/// <summary>
/// Ranges of slots_v1: best fit, neighbours joined. A freed range rests for a grace time before it is given again, because a program may
/// have read a service just before it changed and still be about to read a slot of its old range.
/// </summary>
internal sealed class SlotAllocator
{
    private readonly TimeProvider _time;
    private readonly TimeSpan _grace;

    // The same free ranges three times: by either end to join neighbours, by length to find the best fit.
    private readonly Dictionary<uint, uint> _lengthByStart = [];
    private readonly Dictionary<uint, uint> _startByEnd = [];
    private readonly SortedSet<(uint Length, uint Start)> _byLength = [];
    private readonly Queue<(long FreedAt, SlotRange Range)> _resting = new();

    public SlotAllocator(uint capacity, TimeSpan grace, TimeProvider time)
    {
        Capacity = capacity;
        _grace = grace;
        _time = time;
        if (capacity > 0)
            AddFree(0, capacity);
    }

    public uint Capacity { get; private set; }

    /// <summary>Slots given out or resting.</summary>
    public uint Used { get; private set; }

    /// <summary>The array is longer now.</summary>
    public void Grow(uint capacity)
    {
        if (capacity <= Capacity)
            return;

        uint start = Capacity;
        Capacity = capacity;
        AddJoined(new SlotRange { Base = start, Count = capacity - start });
    }

    /// <summary>
    /// Takes the ranges that services in the maps already use; before anything else is allocated. A range that is out of bounds or
    /// overlaps an earlier one is not taken and told to <paramref name="refused"/>.
    /// </summary>
    public void Reserve(IEnumerable<SlotRange> ranges, Action<SlotRange> refused)
    {
        if (Used > 0)
            throw new InvalidOperationException("Ranges are reserved once, before the first allocation.");

        RemoveFree(0, Capacity);
        uint free = 0;
        foreach (var range in ranges.Where(range => range.Count > 0).OrderBy(range => range.Base))
        {
            if (range.Base < free || (ulong)range.Base + range.Count > Capacity)
            {
                refused(range);
                continue;
            }

            if (range.Base > free)
                AddFree(free, range.Base - free);
            free = range.Base + range.Count;
            Used += range.Count;
        }

        if (free < Capacity)
            AddFree(free, Capacity - free);
    }

    public bool TryAllocate(uint count, out SlotRange range)
    {
        range = default;
        if (count == 0)
            return true;

        ReleaseRested();
        var (length, start) = _byLength.GetViewBetween((count, 0), (uint.MaxValue, uint.MaxValue)).Min;
        if (length == 0)
            return false;

        RemoveFree(start, length);
        if (length > count)
            AddFree(start + count, length - count);
        Used += count;
        range = new SlotRange { Base = start, Count = count };
        return true;
    }

    /// <summary>Gives back a range that programs may still read.</summary>
    public void Free(SlotRange range)
    {
        if (range.Count > 0)
            _resting.Enqueue((_time.GetTimestamp(), range));
    }

    /// <summary>Gives back a range that was never published.</summary>
    public void FreeUnpublished(SlotRange range)
    {
        if (range.Count > 0)
            Release(range);
    }

    private void ReleaseRested()
    {
        while (_resting.TryPeek(out var oldest) && _time.GetElapsedTime(oldest.FreedAt) >= _grace)
            Release(_resting.Dequeue().Range);
    }

    private void Release(SlotRange range)
    {
        Used -= range.Count;
        AddJoined(range);
    }

    private void AddJoined(SlotRange range)
    {
        uint start = range.Base;
        uint length = range.Count;
        if (_startByEnd.TryGetValue(start, out uint before))
        {
            length += start - before;
            RemoveFree(before, start - before);
            start = before;
        }

        if (_lengthByStart.TryGetValue(range.Base + range.Count, out uint after))
        {
            RemoveFree(range.Base + range.Count, after);
            length += after;
        }

        AddFree(start, length);
    }

    private void AddFree(uint start, uint length)
    {
        _lengthByStart.Add(start, length);
        _startByEnd.Add(start + length, start);
        _byLength.Add((length, start));
    }

    private void RemoveFree(uint start, uint length)
    {
        _lengthByStart.Remove(start);
        _startByEnd.Remove(start + length);
        _byLength.Remove((length, start));
    }
}
