// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Maps;
using EbpfLb.Live.Tests.Support;
using Xunit.Abstractions;

namespace EbpfLb.Live.Tests;

/// <summary>Far more openings than conntrack has room for.</summary>
public sealed class FloodTests(ITestOutputHelper output)
{
    private const int Entries = 10_000;
    private const int Rounds = 20;
    private const int OpeningsOfRound = 3_000;
    private const int Connections = 200;

    // Every connection speaks once in a round: how fast a busy machine lets them speak is not what is asked here.
    [PrivilegedTheory]
    [InlineData("p11")]
    [InlineData("p21")]
    public async Task S93_a_flood_of_openings_ends_no_connection_that_is_used_and_keeps_nobody_out(string pod)
    {
        await using var node = await OuterNode.CreateAsync("--map-size", $"{MapNames.Conntrack}={Entries}");
        await node.MakeReadyForXdpAsync();
        var service = node.NewService();
        await service.PublishAsync(node.Playground[pod].Ready);
        var target = service.LoadBalancer();
        await using var held = await node.Outside.HoldAsync(target, Connections, "--timeout", "3000");

        int alive = Connections, succeeded = 0, failed = 0;
        for (int round = 0; round < Rounds; round++)
        {
            var flood = node.Outside.FloodAsync(target, OpeningsOfRound, first: round * OpeningsOfRound);
            // Openings that a full queue of a device loses are sent again, the second time after 3 s.
            var report = await node.Distant.TcpAsync(target, count: 5, "--timeout", "10000");
            succeeded += report.Succeeded;
            failed += report.Failed;
            await flood;
            alive = (await held.CheckAsync()).Backends.Values.Sum();
        }

        output.WriteLine($"{alive} of {Connections} connections live, {failed} of {succeeded + failed} new ones failed");
        Assert.True(alive * 100 >= Connections * 99, $"{alive} of {Connections} connections live");
        Assert.True(failed * 100 <= succeeded + failed, $"{failed} of {succeeded + failed} new connections failed");
    }
}
