// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Conntrack;
using EbpfLb.Datapath.Contract;
using EbpfLb.Linux.Processes;

namespace EbpfLb.Datapath.Tests;

public sealed class FlowSettingsTests
{
    [Theory]
    [InlineData("", "50000-65535")]
    [InlineData("22,80,8000-8010", "22,80,8000-8010,50000-65535")]
    [InlineData("65535", "50000-65535")]
    [InlineData("40000-49999", "40000-65535")]
    [InlineData("40000-49998", "40000-49998,50000-65535")]
    [InlineData("60000-61000,22", "22,50000-65535")]
    [InlineData("1-65535", null)]
    [InlineData("50000-60000,60001-65535", null)]
    public void Reserved_ports_are_added_to_and_never_taken_from(string before, string? after) =>
        Assert.Equal(after, ReservedPorts.Add(before, 50000, 65535));

    [Theory]
    [InlineData("a")]
    [InlineData("5-4")]
    [InlineData("1-2-3")]
    [InlineData("65536")]
    public void A_text_that_is_no_list_of_ports_is_not_written_over(string text) =>
        Assert.Throws<FormatException>(() => ReservedPorts.Add(text, 50000, 65535));

    [Theory]
    [InlineData(50000, 65535, true)]
    [InlineData(1024, 1024, true)]
    [InlineData(1023, 65535, false)]
    [InlineData(50001, 50000, false)]
    [InlineData(50000, 65536, false)]
    public void A_range_of_ports_is_judged(int first, int last, bool isValid) =>
        Assert.Equal(isValid ? 0 : 1, new FlowSettings { SnatPortFirst = first, SnatPortLast = last }.Validate().Count);

    [Fact]
    public void Each_timeout_has_its_name_and_its_bounds()
    {
        Assert.Equal(
            new FlowSettings
            {
                TcpSynSeconds = 1,
                TcpEstablishedSeconds = 2,
                TcpFinSeconds = 3,
                TcpClosedSeconds = 4,
                UdpSeconds = 5,
                SctpSeconds = 6,
            },
            FlowSettings.TimeoutNames.Zip(Enumerable.Range(1, 6)).Aggregate(
                new FlowSettings(), (settings, timeout) => settings.WithTimeout(timeout.First, (uint)timeout.Second)));
        Assert.All(FlowSettings.TimeoutNames, name =>
        {
            Assert.Contains($"{name}=0:", Assert.Single(new FlowSettings().WithTimeout(name, 0).Validate()), StringComparison.Ordinal);
            Assert.Single(new FlowSettings().WithTimeout(name, 1_000_001).Validate());
        });
        Assert.Empty(new FlowSettings().Validate());
    }

    [PrivilegedFact]
    public async Task The_element_is_written_around_what_is_not_ours_and_the_generation_goes_on()
    {
        using var kernel = new KernelDatapath();
        using var datapath = await kernel.OpenAsync();
        datapath.Maps.Settings.At<SettingsValue>(0) = new SettingsValue
        {
            NodePortFirst = 30000,
            NodePortLast = 32767,
            Generation = uint.MaxValue - 1,
        };
        var settings = new NodeSettings(datapath.Maps.Settings);

        settings.Write(new FlowSettings { ExternalClusterIPs = true, SnatPortFirst = 40000, UdpSeconds = 7 }, nodeNetns: 77);
        Assert.Equal(
            new SettingsValue
            {
                NodeNetns = 77,
                Generation = uint.MaxValue,
                Flags = SettingFlags.ExternalClusterIPs,
                SnatPortFirst = 40000,
                SnatPortLast = 65535,
                NodePortFirst = 30000,
                NodePortLast = 32767,
                TcpSynSeconds = 30,
                TcpEstablishedSeconds = 8000,
                TcpFinSeconds = 3600,
                TcpClosedSeconds = 10,
                UdpSeconds = 7,
                SctpSeconds = 300,
                PairCheckMs = 1000,
                RepliesPerSecond = 1000,
            },
            datapath.Maps.Settings.Get<SettingsValue>(0));

        settings.RaiseGeneration();
        Assert.Equal(1u, settings.Generation);
        settings.RaiseGeneration();
        Assert.Equal(2u, settings.Generation);
        Assert.NotEqual(0u, NetworkNamespace.CurrentCookie());
    }

    [PrivilegedFact]
    public async Task A_sweep_of_an_empty_map_finds_nothing()
    {
        using var kernel = new KernelDatapath();
        using var datapath = await kernel.OpenAsync();
        using var sweep = new ConntrackSweep(datapath.ProgramDirectory);
        Assert.Equal(new SweepValue { DeadBackendSeconds = 7 }, sweep.Run(7));
    }
}
