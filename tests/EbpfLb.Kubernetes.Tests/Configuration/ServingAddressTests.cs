// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Configuration;

namespace EbpfLb.Kubernetes.Tests.Configuration;

public sealed class ServingAddressTests
{
    [Theory]
    [InlineData("0.0.0.0:10256", "0.0.0.0", 10256)]
    [InlineData("127.0.0.1:0", "127.0.0.1", 0)]
    [InlineData("[::]:10249", "::", 10249)]
    [InlineData("[fd00::1]:65535", "fd00::1", 65535)]
    [InlineData("192.0.2.1", "192.0.2.1", null)]
    [InlineData("::1", "::1", null)]
    [InlineData("", null, null)]
    [InlineData("0", null, null)]
    [InlineData("none", null, null)]
    public void An_address_a_port_or_nothing(string text, string? address, int? port)
    {
        var serving = ServingAddress.Parse(text)!;
        Assert.Equal((address, port), (serving.Address?.ToString(), serving.Port));
    }

    [Theory]
    [InlineData("10249")]
    [InlineData(":10249")]
    [InlineData("localhost:10249")]
    [InlineData("0.0.0.0:")]
    [InlineData("0.0.0.0:65536")]
    [InlineData("0.0.0.0:-1")]
    [InlineData("0.0.0.0: 1")]
    [InlineData("[192.0.2.1]:80")]
    [InlineData("[::1]")]
    [InlineData("[]:80")]
    [InlineData("off")]
    public void Anything_else_is_refused(string text) => Assert.Null(ServingAddress.Parse(text));
}
