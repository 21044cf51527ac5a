// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Configuration;

namespace EbpfLb.Kubernetes.Tests.Configuration;

public sealed class GoDurationTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("-0", 0)]
    [InlineData("+0", 0)]
    [InlineData("0s", 0)]
    [InlineData("0h0m0s", 0)]
    [InlineData("5s", 5)]
    [InlineData("+5s", 5)]
    [InlineData("-5s", -5)]
    [InlineData("1m30s", 90)]
    [InlineData("24h0m0s", 86400)]
    [InlineData("2h22m", 8520)]
    [InlineData("1.5h", 5400)]
    [InlineData(".5s", 0.5)]
    [InlineData("1.s", 1)]
    [InlineData("250ms", 0.25)]
    [InlineData("3us", 0.000003)]
    [InlineData("3\u00b5s", 0.000003)]
    [InlineData("3\u03bcs", 0.000003)]
    [InlineData("100ns", 0.0000001)]
    [InlineData("99ns", 0)]
    [InlineData("1s1s", 2)]
    [InlineData("2562047h47m16.854775807s", 9223372036.8547758)]
    public void What_Go_reads_is_read(string text, double seconds)
    {
        Assert.True(GoDuration.TryParse(text, out var duration));
        Assert.Equal(seconds, duration.TotalSeconds, tolerance: 1e-8);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("5")]
    [InlineData("1.5")]
    [InlineData(".")]
    [InlineData(".s")]
    [InlineData("s")]
    [InlineData("1..5s")]
    [InlineData("1d")]
    [InlineData("1S")]
    [InlineData("1 s")]
    [InlineData(" 1s")]
    [InlineData("1s ")]
    [InlineData("1m-30s")]
    [InlineData("--1s")]
    [InlineData("1h30")]
    [InlineData("1e3s")]
    [InlineData("1,5s")]
    [InlineData("2562048h")]
    [InlineData("9223372036854775807h")]
    [InlineData("99999999999999999999999999999999999999h")]
    [InlineData("soon")]
    public void What_Go_refuses_is_refused(string text) => Assert.False(GoDuration.TryParse(text, out _));
}
