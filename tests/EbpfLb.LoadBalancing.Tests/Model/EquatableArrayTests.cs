// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.LoadBalancing.Tests.Model;

public sealed class EquatableArrayTests
{
    [Fact]
    public void Arrays_of_equal_elements_are_equal_and_hash_alike()
    {
        EquatableArray<string> left = ["a", "b"], right = new[] { "a", "b" }.ToEquatableArray();
        Assert.True(left == right && left.Equals(right) && left.Equals((object)right) && !(left != right));
        Assert.Equal(left.GetHashCode(), right.GetHashCode());
    }

    [Theory]
    [InlineData("a", "b", "c")]
    [InlineData("b", "a")]
    [InlineData("a")]
    [InlineData("a", "B")]
    public void Another_element_length_or_order_is_another_value(params string[] other)
    {
        EquatableArray<string> array = ["a", "b"];
        Assert.False(array == other.ToEquatableArray());
        Assert.False(array.Equals("a"));
    }

    [Fact]
    public void Default_and_empty_are_the_same_value()
    {
        EquatableArray<int> made = [];
        Assert.True(made == default && made == Array.Empty<int>().ToEquatableArray() && made.IsEmpty);
        Assert.Equal(made.GetHashCode(), default(EquatableArray<int>).GetHashCode());
        Assert.Empty(default(EquatableArray<int>));
    }

    [Fact]
    public void Elements_are_copied_so_nobody_can_write_to_them_later()
    {
        int[] source = [1, 2, 3];
        var made = source.ToEquatableArray();
        source[0] = 9;
        Assert.Equal([1, 2, 3], made);
        Assert.Equal(1, made[0]);
        Assert.Throws<IndexOutOfRangeException>(() => made[3]);
    }

    [Fact]
    public void Records_that_hold_one_compare_by_value()
    {
        static Service Make() => Objects.Service("default/web", "10.96.0.1", new ServicePort("a", Protocol.Udp, 53), Objects.Http);
        Assert.Equal(Make(), Make());
        Assert.NotEqual(Make(), Make() with { Ports = [Objects.Http] });
    }
}
