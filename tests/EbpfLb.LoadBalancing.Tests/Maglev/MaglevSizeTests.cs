// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Maglev;
using static EbpfLb.LoadBalancing.Tests.Objects;

namespace EbpfLb.LoadBalancing.Tests.Maglev;

public sealed class MaglevSizeTests
{
    [Fact]
    public void Every_allowed_size_is_prime_and_they_ascend()
    {
        int[] sizes = [.. MaglevSize.Allowed];
        Assert.Equal(sizes.Order().Distinct(), sizes);
        Assert.All(sizes, static size =>
            Assert.DoesNotContain(Enumerable.Range(2, (int)Math.Sqrt(size) - 1), divisor => size % divisor == 0));
    }

    [Theory]
    [InlineData(0, 251)]
    [InlineData(1, 251)]
    [InlineData(2, 251)]
    [InlineData(3, 509)]
    [InlineData(5, 509)]
    [InlineData(6, 1021)]
    [InlineData(10, 1021)]
    [InlineData(11, 2039)]
    [InlineData(163, 16381)]
    [InlineData(164, 32749)]
    [InlineData(1310, 131071)]
    [InlineData(1311, 131071)]
    [InlineData(50_000, 131071)]
    [InlineData(int.MaxValue, 131071)]
    public void The_adaptive_size_has_a_hundred_slots_for_each_backend(int backends, int expected) =>
        Assert.Equal(expected, MaglevSize.Adaptive(backends));

    [Theory]
    [InlineData(0, 3, 509, false)]
    [InlineData(251, 3, 251, false)]
    [InlineData(65521, 3, 65521, false)]
    [InlineData(251, 251, 251, false)]
    [InlineData(251, 252, 509, true)]
    [InlineData(251, 5000, 8191, true)]
    [InlineData(0, 131071, 131071, false)]
    [InlineData(0, 131072, 131071, true)]
    [InlineData(250, 3, 509, false)]
    public void S111_A_configured_size_is_used_unless_it_has_no_slot_for_every_backend(
        int configured, int backends, int expected, bool expectTooSmall)
    {
        Assert.Equal(expected, MaglevSize.Resolve(configured, backends, out bool tooSmall));
        Assert.Equal(expectTooSmall, tooSmall);
    }

    [Fact]
    public void The_default_options_are_right() => Assert.Empty(new MaglevOptions().Validate());

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    [InlineData(16384)]
    [InlineData(262139)]
    public void S111_A_table_size_that_is_not_allowed_is_named_with_those_that_are(int size)
    {
        string error = Assert.Single(new MaglevOptions { TableSize = size }.Validate());
        Assert.Contains($" {size} ", error, StringComparison.Ordinal);
        Assert.Contains("251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521, 131071", error, StringComparison.Ordinal);
    }

    [Fact]
    public void S111_A_seed_of_another_length_is_named()
    {
        Assert.Contains("'0aff' has 2", Assert.Single(new MaglevOptions { Seed = [0x0a, 0xff] }.Validate()), StringComparison.Ordinal);
        Assert.Contains("empty seed", Assert.Single(new MaglevOptions { Seed = [] }.Validate()), StringComparison.Ordinal);
    }

    [Fact]
    public void S111_A_desired_state_is_not_made_with_options_that_are_wrong()
    {
        var options = new DesiredStateOptions { NodeName = ThisNode, Maglev = new MaglevOptions { TableSize = 7, Seed = [1] } };
        var error = Assert.Throws<ArgumentException>(() => new DesiredState(options));
        Assert.Contains("size 7 ", error.Message, StringComparison.Ordinal);
        Assert.Contains("'01' has 1", error.Message, StringComparison.Ordinal);
    }
}
