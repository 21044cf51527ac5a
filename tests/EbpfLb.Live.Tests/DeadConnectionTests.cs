// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Inspection;
using EbpfLb.Datapath.Maps;
using EbpfLb.Live.Tests.Support;

namespace EbpfLb.Live.Tests;

/// <summary>A short grace, so that a test sees connections end.</summary>
public sealed class ImpatientNode() : OuterNode("--dead-backend-grace", "2", "--log-level", "debug");

/// <summary>TCP connections whose backend is gone, or looks as if it were: those of sockets, and those of the packet path.</summary>
public sealed class DeadConnectionTests(ImpatientNode node) : OuterTest(node), IClassFixture<ImpatientNode>
{
    private const int Grace = 2;

    // Every word of the agent about those that it ended, and about those that the next packet ends.
    private const string SocketsEnded = "TCP sockets whose backends are gone and silent";

    [PrivilegedFact]
    public async Task Whoever_is_connected_to_a_backend_that_is_gone_and_silent_is_told()
    {
        OuterService here = Node.NewService(), there = Node.NewService();
        await here.PublishAsync(Node.P11.Ready);
        await there.PublishAsync(Node.P21.Ready);
        await using var held = new Holds();
        foreach (var service in new[] { here, there })
        {
            foreach (bool v6 in OuterNode.Families)
            {
                held.OfSockets.Add(await Node.P12.HoldAsync(service.ClusterIP(v6), count: 2));
                held.OfSockets.Add(await Node.Host.HoldAsync(service.ClusterIP(v6), count: 1));
                held.OfPackets.Add(await Node.Outside.HoldAsync(service.LoadBalancer(v6), count: 1));
            }
        }

        int from = Node.Agent.LineCount;
        await using var first = await SilenceAsync(Node.Host, "p11");
        await using var second = await SilenceAsync(Node.SecondHost, "p21");
        await here.PublishAsync(Node.P13.Ready);
        await there.PublishAsync(Node.P22.Ready);
        await Eventually.True(() => EndedSince(from) == 12, "the end of the sockets");
        foreach (var sockets in held.OfSockets)
            (await sockets.CheckAsync()).AssertAllFailedWith("ECONNABORTED");

        ulong before = Resets();
        await Node.Agent.WaitForLogAsync("the backends of 4 connections are gone, 4 of these will be reset", from);
        foreach (var packets in held.OfPackets)
            (await packets.CheckAsync()).AssertAllFailedWith("ECONNRESET");
        Assert.True(Resets() >= before + 4);
        (await Node.P12.TcpAsync(here.ClusterIP(), count: 5)).AssertAnsweredBy("p13");
        (await Node.Outside.TcpAsync(there.LoadBalancer(), count: 5)).AssertAnsweredBy("p22");
    }

    [PrivilegedFact]
    public async Task Whose_backend_is_there_or_answers_or_comes_back_is_left_alone()
    {
        OuterService terminating = Node.NewService(), unready = Node.NewService(), serving = Node.NewService();
        OuterService answering = Node.NewService(), returning = Node.NewService();
        await using Holds quiet = new(), talking = new();
        foreach (var service in new[] { terminating, unready, serving, answering, returning })
        {
            var held = service == answering ? talking : quiet;
            await service.PublishAsync(Node.P11.Ready);
            foreach (bool v6 in OuterNode.Families)
            {
                held.OfSockets.Add(await Node.P12.HoldAsync(service.ClusterIP(v6), count: 1));
                held.OfPackets.Add(await Node.Outside.HoldAsync(service.LoadBalancer(v6), count: 1));
            }
        }

        int from = Node.Agent.LineCount;
        await terminating.PublishAsync(Node.P11.Terminating, Node.P13.Ready);
        await unready.PublishAsync(Node.P11.NotReady, Node.P13.Ready);
        // The last one: used still, and by those it has.
        await serving.PublishAsync(Node.P11.Terminating);
        await answering.PublishAsync(Node.P13.Ready);
        await returning.DeleteAsync();
        await returning.PublishAsync(Node.P11.Ready);

        // Longer than the grace, and than it takes to see that it is over. Whoever has left answers meanwhile.
        for (int i = 0; i < 2 * (Grace + 6); i++)
        {
            await Task.Delay(500);
            foreach (var one in talking.All)
                (await one.CheckAsync()).AssertHolds("p11");
        }

        foreach (var one in quiet.All.Concat(talking.All))
            (await one.CheckAsync()).AssertHolds("p11");
        Assert.Equal(0, EndedSince(from));
    }

    [PrivilegedFact]
    public async Task Without_a_grace_connections_are_left_to_their_ends()
    {
        await using var node = await OuterNode.CreateAsync("--dead-backend-grace", "off", "--log-level", "debug");
        var service = node.NewService();
        await service.PublishAsync(node.P11.Ready);
        await using var ofSocket = await node.P12.HoldAsync(service.ClusterIP(), count: 1);
        await using var ofPackets = await node.Outside.HoldAsync(service.LoadBalancer(), count: 1);
        int from = node.Agent.LineCount;
        await using (await SilenceAsync(node.Host, "p11"))
        {
            await service.PublishAsync(node.P13.Ready);
            await node.Agent.WaitForLogAsync("the backends of 1 connections are gone, 0 of these will be reset", from);
            await Task.Delay(TimeSpan.FromSeconds(Grace));
        }

        (await ofSocket.CheckAsync()).AssertHolds("p11");
        (await ofPackets.CheckAsync()).AssertHolds("p11");
        Assert.DoesNotContain(SocketsEnded, node.Agent.Log, StringComparison.Ordinal);
    }

    // Neither hears nor speaks, as a pod whose node was switched off.
    private static async Task<Undo> SilenceAsync(Client host, string device)
    {
        await host.BridgePortAsync(device, forwards: false);
        return new Undo(() => host.BridgePortAsync(device, forwards: true));
    }

    private int EndedSince(int line) => Node.Agent.Log.Split('\n')[line..]
        .Where(text => text.Contains(SocketsEnded, StringComparison.Ordinal))
        .Sum(text => int.Parse(text.Split("Ended ")[1].Split(' ')[0], null));

    private ulong Resets()
    {
        using var maps = KernelMaps.Open(Node.Agent.Pins, writable: false);
        return CountersView.ReadReasons(maps)
            .Where(count => count.Reason == Reason.BackendGone).Aggregate(0ul, (sum, count) => sum + count.Packets);
    }

    private sealed class Holds : IAsyncDisposable
    {
        public List<HeldConnections> OfSockets { get; } = [];

        public List<HeldConnections> OfPackets { get; } = [];

        public IEnumerable<HeldConnections> All => OfSockets.Concat(OfPackets);

        public async ValueTask DisposeAsync()
        {
            foreach (var held in All)
                await held.DisposeAsync();
        }
    }
}
