// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Devices;

namespace EbpfLb.Datapath.Tests;

public sealed class DevicePatternTests
{
    [Theory]
    [InlineData("eth0", "eth0", true)]
    [InlineData("eth0", "eth01", false)]
    [InlineData("eth*", "eth0", true)]
    [InlineData("eth*", "eth", true)]
    [InlineData("eth*", "veth0", false)]
    [InlineData("*eth*", "veth0", true)]
    [InlineData("e*t*0", "ethtest10", true)]
    [InlineData("e*t*0", "ethtest1", false)]
    [InlineData("eth?", "eth1", true)]
    [InlineData("eth?", "eth10", false)]
    [InlineData("eth[0-2]", "eth2", true)]
    [InlineData("eth[0-2]", "eth3", false)]
    [InlineData("eth[!0-2]", "eth3", true)]
    [InlineData("eth[!0-2]", "eth1", false)]
    [InlineData("eth[]x]", "eth]", true)]
    [InlineData("eth[0-]", "eth-", true)]
    [InlineData("*[ab]*[cd]", "xaybzc", true)]
    [InlineData("*[ab]*[cd]", "xaybz", false)]
    [InlineData("eth0.100", "eth0.100", true)]
    [InlineData("*", "", true)]
    public void A_pattern_is_read_as_a_shell_does(string text, string name, bool matches)
    {
        Assert.True(DevicePattern.TryParse(text, out var pattern));
        Assert.Equal(matches, pattern.Matches(name));
    }

    [Theory]
    [InlineData("")]
    [InlineData("eth[")]
    [InlineData("eth[0-2")]
    [InlineData("eth[]")]
    [InlineData("eth[!]")]
    [InlineData("a/b")]
    [InlineData("eth 0")]
    public void What_is_no_pattern_is_refused(string text) => Assert.False(DevicePattern.TryParse(text, out _));

    [Fact]
    public void A_pin_names_hook_and_index_and_nothing_else_is_taken_for_one()
    {
        foreach (var hook in Enum.GetValues<DeviceHook>())
        {
            var pin = new DevicePin(hook, 101);
            Assert.DoesNotContain('.', pin.FileName);
            Assert.True(DevicePin.TryParse(pin.FileName, out var parsed));
            Assert.Equal(pin, parsed);
        }

        string[] others = ["xdp_", "xdp_01", "xdp_-1", "xdp_1_new", "tcx_1", "sock_connect4"];
        Assert.All(others, name => Assert.False(DevicePin.TryParse(name, out _), name));
    }
}
