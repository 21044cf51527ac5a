// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Maps;
using EbpfLb.Live.Tests.Support;
using Xunit.Abstractions;

namespace EbpfLb.Live.Tests;

/// <summary>Far more openings than conntrack has room for.</summary>
public sealed class FloodTests(ITestOutputHelper output)
{
    private const int Entries = 10_000;
    private const int Openings = 200_000;
    private const int Established = 100;

    [PrivilegedTheory]
    [InlineData("p11")]
    [InlineData("p21")]
    public async Task S93_a_flood_of_openings_ends_no_connection_and_keeps_nobody_out(string pod)
    {
        await using var node = await OuterNode.CreateAsync("--map-size", $"{MapNames.Conntrack}={Entries}");
        await node.MakeReadyForXdpAsync();
        var service = node.NewService();
        await service.PublishAsync(node.Playground[pod].Ready);
        var target = service.LoadBalancer();
        await using var held = await node.Outside.HoldAsync(target, Established, "--timeout", "250");
        (await held.CheckAsync()).AssertHolds(pod);

        var flood = node.Outside.FloodAsync(target, Openings);
        int succeeded = 0, failed = 0;
        while (!flood.IsCompleted)
        {
            await held.CheckAsync();
            var report = await node.Distant.TcpAsync(target, count: 20, "--timeout", "3000");
            succeeded += report.Succeeded;
            failed += report.Failed;
        }

        await flood;
        int alive = (await held.CheckAsync()).Backends.Values.Sum();
        output.WriteLine($"{alive} of {Established} connections live; {succeeded} of {succeeded + failed} new ones succeeded");
        Assert.True(alive >= Established * 99 / 100, $"{alive} of {Established} connections live");
        Assert.True(succeeded > 0 && failed * 100 <= succeeded + failed, $"{failed} of {succeeded + failed} new connections failed");
    }
}
