// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Sync;
using FsCheck;
using FsCheck.Fluent;

namespace EbpfLb.Datapath.Tests;

public sealed class SlotAllocatorTests
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private readonly ManualTime _time = new();

    [Fact]
    public void A_freed_range_rests_before_it_is_given_again()
    {
        var slots = new SlotAllocator(10, Grace, _time);
        Assert.True(slots.TryAllocate(10, out var range));
        slots.Free(range);

        Assert.False(slots.TryAllocate(1, out _));
        _time.Advance(Grace);
        Assert.True(slots.TryAllocate(10, out _));
    }

    [Fact]
    public void A_range_that_was_never_published_needs_no_rest()
    {
        var slots = new SlotAllocator(10, Grace, _time);
        Assert.True(slots.TryAllocate(10, out var range));
        slots.FreeUnpublished(range);
        Assert.True(slots.TryAllocate(10, out _));
    }

    [Fact]
    public void What_an_array_grows_by_joins_the_free_range_before_it()
    {
        var slots = new SlotAllocator(10, Grace, _time);
        Assert.True(slots.TryAllocate(6, out _));
        Assert.False(slots.TryAllocate(8, out _));
        slots.Grow(14);
        Assert.True(slots.TryAllocate(8, out var range));
        Assert.Equal((6u, 14u, 14u), (range.Base, slots.Capacity, slots.Used));
        slots.Grow(14);
        slots.Grow(3);
        Assert.False(slots.TryAllocate(1, out _));
        slots.Grow(15);
        Assert.True(slots.TryAllocate(1, out range));
        Assert.Equal(14u, range.Base);
    }

    [Fact]
    public void The_smallest_gap_that_fits_is_taken()
    {
        var slots = new SlotAllocator(100, TimeSpan.Zero, _time);
        slots.Reserve([Range(10, 10), Range(25, 10), Range(50, 50)], _ => Assert.Fail("refused"));

        Assert.True(slots.TryAllocate(5, out var range));
        Assert.Equal(Range(20, 5), range);
    }

    [Fact]
    public void Restored_ranges_that_overlap_or_lie_outside_are_refused_and_the_others_kept()
    {
        var slots = new SlotAllocator(100, TimeSpan.Zero, _time);
        var refused = new List<SlotRange>();
        slots.Reserve([Range(0, 10), Range(5, 10), Range(95, 10), Range(uint.MaxValue, 2), Range(20, 1)], refused.Add);

        Assert.Equal([Range(5, 10), Range(95, 10), Range(uint.MaxValue, 2)], refused);
        Assert.Equal(11u, slots.Used);
    }

    [Fact]
    public void Ranges_never_overlap_and_everything_comes_back()
    {
        // A positive number allocates that many, a negative one frees one of those held.
        Prop.ForAll(Gen.Choose(-20, 20).ListOf().ToArbitrary(), steps =>
        {
            var time = new ManualTime();
            var slots = new SlotAllocator(200, Grace, time);
            var held = new List<SlotRange>();
            foreach (int step in steps)
            {
                if (step > 0 && slots.TryAllocate((uint)step, out var range))
                    held.Add(range);
                else if (step < 0 && held.Count > 0)
                {
                    int index = -step % held.Count;
                    slots.Free(held[index]);
                    held.RemoveAt(index);
                    if (step % 2 == 0)
                        time.Advance(Grace);
                }

                var taken = held.SelectMany(range => Enumerable.Range((int)range.Base, (int)range.Count)).ToArray();
                if (taken.Distinct().Count() != taken.Length || taken.Any(slot => slot >= 200))
                    return false;
            }

            held.ForEach(slots.Free);
            time.Advance(Grace);
            return slots.TryAllocate(200, out _) && slots.Used == 200;
        }).QuickCheckThrowOnFailure();
    }

    private static SlotRange Range(uint start, uint count) => new() { Base = start, Count = count };
}
