// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.LoadBalancing.Tests.Model;

public sealed class AddressTests
{
    [Theory]
    [InlineData("0.0.0.0", true)]
    [InlineData("::", true)]
    [InlineData("0.0.0.1", false)]
    [InlineData("::1", false)]
    public void The_unspecified_address_of_each_family_is_known(string text, bool expected)
    {
        var address = Address.Parse(text);
        Assert.Equal(expected, address.IsAny);
        Assert.Equal(expected, address == Address.Any(address.Family));
    }

    [Theory]
    [InlineData("10.96.0.15", "10.96.0.15", AddressFamily.IPv4)]
    [InlineData("10.96.000.015", "10.96.0.15", AddressFamily.IPv4)]
    [InlineData("0010.096.00.08", "10.96.0.8", AddressFamily.IPv4)]
    [InlineData("0.0.0.0", "0.0.0.0", AddressFamily.IPv4)]
    [InlineData("255.255.255.255", "255.255.255.255", AddressFamily.IPv4)]
    [InlineData("fd00:10:96::000f", "fd00:10:96::f", AddressFamily.IPv6)]
    [InlineData("FD00::A", "fd00::a", AddressFamily.IPv6)]
    [InlineData("::", "::", AddressFamily.IPv6)]
    [InlineData("::1", "::1", AddressFamily.IPv6)]
    public void Addresses_are_read_as_Kubernetes_reads_them(string text, string canonical, AddressFamily family)
    {
        Assert.True(Address.TryParse(text, out var address));
        Assert.Equal(canonical, address.ToString());
        Assert.Equal(family, address.Family);
        Assert.Equal(address, Address.Parse(canonical));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("None")]
    [InlineData("abc")]
    [InlineData("300.1.1.1")]
    [InlineData("10.0.0.256")]
    [InlineData("10.0.0")]
    [InlineData("10.0.0.1.2")]
    [InlineData("10.0.0.")]
    [InlineData(".10.0.0.1")]
    [InlineData("10..0.1")]
    [InlineData("10.0.0.-1")]
    [InlineData("10.0.0.+1")]
    [InlineData("10.0.0.0x1")]
    [InlineData(" 10.0.0.1")]
    [InlineData("10.0.0.1 ")]
    [InlineData("10.0.0.1/32")]
    [InlineData("10.0.0.99999999999999999999")]
    [InlineData("167772161")]
    [InlineData("::ffff:10.0.0.1")]
    [InlineData("::ffff:a00:1")]
    [InlineData("fd00::1/128")]
    [InlineData("fe80::1%eth0")]
    [InlineData("fe80::1%2")]
    [InlineData("[fd00::1]")]
    [InlineData("[fd00::1]:80")]
    [InlineData("10.0.0.1:80")]
    [InlineData("fd00:::1")]
    [InlineData(" fd00::1")]
    [InlineData("fd00::1\t")]
    [InlineData("fd00::1\n")]
    public void Text_that_is_no_plain_address_is_refused(string? text)
    {
        Assert.False(Address.TryParse(text, out var address));
        Assert.Equal(default, address);
    }

    [Fact]
    public void A_refused_text_is_named()
    {
        var error = Assert.Throws<FormatException>(() => Address.Parse("10.0.0.1/32"));
        Assert.Contains("'10.0.0.1/32'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Four_bytes_become_a_mapped_address_in_network_order()
    {
        byte[] bytes = new byte[16];
        Address.Parse("10.1.2.3").CopyTo(bytes);
        Assert.Equal<byte>([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 1, 2, 3], bytes);
    }

    [Fact]
    public void Bytes_of_another_length_are_refused() => Assert.Throws<ArgumentException>(() => Address.FromNetworkOrder(new byte[5]));

    [Theory]
    [InlineData("10.96.0.1")]
    [InlineData("fd00:10:96::1")]
    public void An_address_survives_the_way_to_the_framework_and_back(string text)
    {
        var address = Address.Parse(text);
        Assert.Equal(IPAddress.Parse(text), address.ToIPAddress());
        Assert.Equal(address, Address.From(IPAddress.Parse(text)));
        Assert.Equal(address.GetHashCode(), Address.Parse(text).GetHashCode());
    }

    [Fact]
    public void Order_is_that_of_the_bytes_not_of_the_text()
    {
        string[] ordered = ["::", "::1", "9.255.0.0", "10.0.0.2", "10.0.0.10", "200.0.0.1", "2001:db8::1", "fd00::1", "fd00::1:0"];
        Assert.Equal(ordered, ordered.Reverse().Select(Address.Parse).Order().Select(static address => address.ToString()));
    }

    [Fact]
    public void Comparison_operators_agree_with_the_order()
    {
        Address low = Address.Parse("10.0.0.1"), high = Address.Parse("10.0.0.2"), same = Address.Parse("10.0.0.1");
        Assert.True(low < high && high > low && low <= same && low >= same && low == same && low != high);
        Assert.False(low > high || high < low || low < same || low > same || low == high || low != same);
    }
}
