// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Sync;

namespace EbpfLb.Datapath.Tests;

public sealed class IdAllocatorTests
{
    [Fact]
    public void A_released_id_comes_back_only_after_every_other_one()
    {
        var used = new HashSet<uint>();
        var ids = new IdAllocator(used.Contains, highest: 5);
        Assert.Equal(1u, ids.Allocate());
        Assert.Equal([2u, 3u, 4u, 5u, 1u], Enumerable.Range(0, 5).Select(_ => ids.Allocate()));
    }

    [Fact]
    public void An_id_in_use_is_passed_over()
    {
        var ids = new IdAllocator(id => id is 2 or 3, highest: 4);
        Assert.Equal([1u, 4u, 1u], Enumerable.Range(0, 3).Select(_ => ids.Allocate()));
    }

    [Fact]
    public void It_goes_on_after_the_highest_restored_id()
    {
        Assert.Equal(42u, new IdAllocator(_ => false, last: 41).Allocate());
        Assert.Equal(1u, new IdAllocator(_ => false, last: uint.MaxValue).Allocate());
    }

    [Fact]
    public void When_all_are_used_it_says_so_instead_of_turning_for_ever() =>
        Assert.Throws<InvalidOperationException>(() => new IdAllocator(_ => true, highest: 3).Allocate());
}
