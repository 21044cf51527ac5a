// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.LoadBalancing.Tests.Model;

public sealed class AddressPrefixTests
{
    [Theory]
    [InlineData("192.0.2.0/24", "192.0.2.0/24", 120)]
    [InlineData("192.0.2.77/28", "192.0.2.64/28", 124)]
    [InlineData("192.0.2.77/32", "192.0.2.77/32", 128)]
    [InlineData("192.0.2.77/0", "0.0.0.0/0", 96)]
    [InlineData("2001:db8:ffff::1/33", "2001:db8:8000::/33", 33)]
    [InlineData("2001:db8::1/128", "2001:db8::1/128", 128)]
    [InlineData("2001:db8::1/0", "::/0", 0)]
    public void A_network_reads_as_it_is_written_without_the_bits_beyond_its_length(string text, string expected, int bits)
    {
        Assert.True(AddressPrefix.TryParse(text, out var prefix));
        Assert.Equal((expected, bits), (prefix.ToString(), prefix.Bits));
        Assert.Equal(AddressPrefix.Parse(expected), prefix);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("192.0.2.0")]
    [InlineData("192.0.2.0/")]
    [InlineData("192.0.2.0/33")]
    [InlineData("192.0.2.0/-1")]
    [InlineData("192.0.2.0/+8")]
    [InlineData("192.0.2.0/ 8")]
    [InlineData("192.0.2.0/8/8")]
    [InlineData("192.0.2/24")]
    [InlineData("2001:db8::/129")]
    [InlineData("::ffff:192.0.2.0/120")]
    [InlineData("/8")]
    [InlineData("192.0.2.0/99999999999999999999")]
    public void Anything_else_is_no_network(string? text) => Assert.False(AddressPrefix.TryParse(text, out _));

    [Theory]
    [InlineData("192.0.2.64/28", "192.0.2.79", true)]
    [InlineData("192.0.2.64/28", "192.0.2.80", false)]
    [InlineData("192.0.2.64/28", "192.0.2.63", false)]
    [InlineData("0.0.0.0/0", "192.0.2.1", true)]
    [InlineData("0.0.0.0/0", "2001:db8::1", false)]
    [InlineData("::/0", "2001:db8::1", true)]
    [InlineData("::/0", "192.0.2.1", false)]
    [InlineData("::/80", "192.0.2.1", false)]
    [InlineData("2001:db8::/32", "2001:db8:1::1", true)]
    [InlineData("2001:db8::/32", "2001:db9::1", false)]
    public void It_holds_the_addresses_of_its_family_that_begin_like_it(string network, string address, bool expected) =>
        Assert.Equal(expected, AddressPrefix.Parse(network).Contains(Address.Parse(address)));

    [Theory]
    [InlineData("::/0", true)]
    [InlineData("::/80", true)]
    [InlineData("::/81", false)]
    [InlineData("::fffe:0:0/95", true)]
    [InlineData("::fffe:0:0/96", false)]
    [InlineData("2001:db8::/32", false)]
    [InlineData("0.0.0.0/0", false)]
    public void It_tells_where_the_mapped_form_of_IPv4_lies(string network, bool expected) =>
        Assert.Equal(expected, AddressPrefix.Parse(network).HoldsMapped);

    [Theory]
    [InlineData("10.244.0.0/16", "10.244.1.0/24", true)]
    [InlineData("10.244.0.0/16", "10.244.0.0/16", true)]
    [InlineData("10.244.1.0/24", "10.244.0.0/16", false)]
    [InlineData("10.244.0.0/16", "10.245.0.0/24", false)]
    [InlineData("::/0", "10.244.0.0/16", false)]
    public void It_holds_a_network_that_is_no_larger(string network, string other, bool expected) =>
        Assert.Equal(expected, AddressPrefix.Parse(network).Contains(AddressPrefix.Parse(other)));

    [Fact]
    public void Networks_are_ordered_by_address_and_then_by_size()
    {
        var ordered = Objects.Prefixes("fd00::/8 10.0.0.0/16 192.0.2.0/24 10.0.0.0/8").Order();
        Assert.Equal(["10.0.0.0/8", "10.0.0.0/16", "192.0.2.0/24", "fd00::/8"], ordered.Select(static prefix => prefix.ToString()));
    }
}
