// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Inspection;
using EbpfLb.Datapath.Maps;
using EbpfLb.Live.Tests.Support;

namespace EbpfLb.Live.Tests;

/// <summary>Short times, so that a test sees flows end.</summary>
public sealed class HurriedNode()
    : OuterNode("--conntrack-timeouts", "tcp-syn=2,tcp-established=4,tcp-fin=3,tcp-closed=1,udp=2", "--log-level", "debug")
{
    protected override Task BeforeStartAsync() => MakeReadyForXdpAsync();
}

/// <summary>How flows through the node begin, go on and end. Backends on this node and, masqueraded, on another.</summary>
public sealed class FlowLifeTests(HurriedNode node) : OuterTest(node), IClassFixture<HurriedNode>
{
    // Below those that the kernel gives out by itself.
    private static int _ports = 20000;
    private static int _serverPorts = 9000;

    [PrivilegedFact]
    public async Task S79_an_opening_that_is_sent_again_goes_where_the_first_one_went()
    {
        var service = Node.NewService();
        foreach (bool v6 in OuterNode.Families)
        {
            await service.PublishAsync(Node.P22.Ready);
            await using var deaf = await DeafAsync(Node.P22, v6);
            await using var frames = await Node.Outside.WatchAsync("n2", v6 ? Node.P22.V6 : Node.P22.V4);
            string port = NextPort();
            var dial = Node.Outside.TcpAsync(service.LoadBalancer(v6), count: 1, "--source-port", port, "--timeout", "3500");
            await Task.Delay(400);
            await service.PublishAsync(Node.P11.Ready, Node.P13.Ready, Node.P22.Ready, Node.P21.Ready);
            await Task.Delay(1200);
            await service.PublishAsync(Node.P22.Ready, Node.P21.Ready, Node.P13.Ready);
            (await dial).AssertAllFailedWith("timeout");

            var opening = Assert.Single(await frames.StopAsync(), frame => frame.Key.EndsWith(" S", StringComparison.Ordinal));
            Assert.True(opening.Value >= 3, $"sent {opening.Value} times only");
        }
    }

    [PrivilegedFact]
    public async Task S80_an_opening_whose_endpoint_goes_before_it_answers_finds_another()
    {
        var service = Node.NewService();
        foreach (bool v6 in OuterNode.Families)
        {
            await service.PublishAsync(Node.P22.Ready);
            await using var deaf = await DeafAsync(Node.P22, v6);
            var dial = Node.Outside.TcpAsync(service.LoadBalancer(v6), count: 1, "--timeout", "4000");
            await Task.Delay(300);
            await service.PublishAsync(Node.P21.Ready);
            (await dial).AssertAnsweredBy("p21");
        }
    }

    [PrivilegedFact]
    public Task S81_a_connection_that_was_closed_is_forgotten() => ForEachBackendAsync(async (service, v6) =>
    {
        string port = NextPort();
        await using var held = await HoldAsync(service, v6, port);
        Assert.Equal(FlowState.Established, FlowOf(port).State);
        Assert.Empty((await held.EndOwnSideAsync()).Failures);
        // The last acknowledgement is translated too: without it the backend would go on sending its FIN.
        await Eventually.True(() => FlowsOf(port).All(flow => flow.State == FlowState.Closing), "both sides have ended");
        await ForgottenAsync(port);
    });

    [PrivilegedFact]
    public async Task S82_both_sides_may_end_at_once()
    {
        foreach (var pod in new[] { Node.P11, Node.P21 })
        {
            var service = Node.NewService() with { TargetPort = NextServerPort() };
            await using var server = await pod.ServeAsync("--tcp", $"{service.TargetPort}");
            await service.PublishAsync(pod.Ready);
            foreach (bool v6 in OuterNode.Families)
            {
                string port = NextPort();
                await using var held = await HoldAsync(service, v6, port);
                await using var frames = await Node.Outside.WatchAsync("n1", service.LoadBalancer(v6).Address);

                // Neither hears the other before it has ended itself.
                await Node.Outside.BridgePortAsync("n1", forwards: false);
                await EndServersSideAsync(server);
                var end = held.EndOwnSideAsync();
                await Task.Delay(100);
                await Node.Outside.BridgePortAsync("n1", forwards: true);
                Assert.Empty((await end).Failures);
                await ForgottenAsync(port);
                AssertNoReset((await frames.StopAsync()).Keys);
            }
        }
    }

    [PrivilegedFact]
    public Task S83_a_side_that_has_not_ended_is_heard_for_longer_than_idle_flows_live() => ForEachBackendAsync(async (service, v6, pod) =>
    {
        const int tails = 70;
        var own = service with { TargetPort = NextServerPort() };
        await using var server = await pod.ServeAsync("--tcp", $"{own.TargetPort}", "--tail", $"{tails}");
        await own.PublishAsync(pod.Ready);
        await using var held = await HoldAsync(own, v6, NextPort());
        var report = await held.EndOwnSideAsync();
        Assert.Empty(report.Failures);
        Assert.Equal(tails * "tail\n".Length, report.Bytes);
    });

    [PrivilegedFact]
    public Task S84_a_reset_ends_a_flow_and_the_same_ports_may_open_another_at_once() => ForEachBackendAsync(async (service, v6) =>
    {
        string port = NextPort();
        await using (var held = await HoldAsync(service, v6, port))
            await held.ResetAsync();
        await using (var held = await HoldAsync(service, v6, port))
        {
            Assert.Equal(FlowState.Established, FlowOf(port).State);
            await held.ResetAsync();
        }

        Assert.Equal(FlowState.Reset, FlowOf(port).State);
        await ForgottenAsync(port);
    });

    [PrivilegedFact]
    public Task S85_a_reset_that_the_backend_does_not_believe_ends_nothing() => ForEachBackendAsync(async (service, v6) =>
    {
        string port = NextPort();
        var target = service.LoadBalancer(v6);
        await using var held = await HoldAsync(service, v6, port, "--keepalive", "1");
        await Node.Outside.SendSegmentAsync(
            target.Address, target.TcpPort, v6 ? Node.Outside.V6 : Node.Outside.V4, int.Parse(port, null), "R", 0x1234);
        await Eventually.True(() => FlowOf(port).State == FlowState.Reset, "the mark is set");
        Assert.NotEmpty((await held.CheckAsync()).Backends);
        Assert.Equal(FlowState.Established, FlowOf(port).State);
        await SweptAsync(2);
        Assert.NotEmpty((await held.CheckAsync()).Backends);
    });

    [PrivilegedFact]
    public Task S86_an_old_segment_of_the_backend_does_not_end_the_connection() => ForEachBackendAsync(async (service, v6, pod) =>
    {
        string port = NextPort();
        await using var held = await HoldAsync(service, v6, port, "--keepalive", "1");
        await using var frames = await Node.Outside.WatchAsync("n1", service.LoadBalancer(v6).Address);
        var flow = FlowOf(port);
        var client = flow.Snat ?? flow.Client;
        for (uint i = 0; i < 5; i++)
        {
            await pod.SendSegmentAsync(
                $"{client.Address}", client.Port, v6 ? pod.V6 : pod.V4, LiveService.TargetPort, "PA", 0x1234 + i);
        }

        (await held.CheckAsync()).AssertHolds(pod.Name);
        var seen = (await frames.StopAsync()).Keys.Where(frame => frame.Contains($":{port} ", StringComparison.Ordinal)).ToArray();
        // They did arrive, as the service's.
        Assert.Contains(seen, frame => frame.StartsWith($"in tcp {service.LoadBalancer(v6).Tcp} ", StringComparison.Ordinal));
        AssertNoReset(seen);
    });

    [PrivilegedFact]
    public Task S87_the_ports_of_a_closed_connection_may_be_used_again_at_once() => ForEachBackendAsync(async (service, v6, pod) =>
    {
        var own = service with { TargetPort = NextServerPort() };
        await using var server = await pod.ServeAsync("--tcp", $"{own.TargetPort}");
        await own.PublishAsync(pod.Ready);
        string port = NextPort();
        for (int i = 0; i < 3; i++)
        {
            await using var held = await HoldAsync(own, v6, port);
            // The server first, so that the client's end is free at once.
            await EndServersSideAsync(server);
            await Eventually.True(() => FlowOf(port).State == FlowState.FinWait, "the server has ended");
            Assert.Empty((await held.EndOwnSideAsync()).Failures);
        }
    });

    [PrivilegedFact]
    public Task S88_a_client_that_has_forgotten_its_connection_opens_it_again() => ForEachBackendAsync(async (service, v6) =>
    {
        string port = NextPort();
        await using (var held = await HoldAsync(service, v6, port))
            await held.AbandonAsync();
        await using var again = await HoldAsync(service, v6, port, "--timeout", "5000");
        Assert.NotEmpty((await again.CheckAsync()).Backends);
    });

    [PrivilegedFact]
    public async Task S94_one_half_of_a_flow_is_enough_to_make_the_other_anew()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P21.Ready);
        foreach (bool v6 in OuterNode.Families)
        {
            foreach (bool reply in new[] { false, true })
            {
                // The halves look after each other once a second: a loss is noticed at once after a rest, else by a repetition.
                foreach (bool rests in new[] { true, false })
                {
                    string port = NextPort();
                    await using var held = await HoldAsync(service, v6, port, "--timeout", "5000");
                    await Task.Delay(1100);
                    await held.CheckAsync();
                    var snat = Assert.NotNull(FlowOf(port).Snat);
                    if (rests)
                        await Task.Delay(1100);
                    DeleteHalf(port, reply);
                    Assert.Equal(reply ? FlowHalves.ForwardOnly : FlowHalves.ReplyOnly, Assert.Single(FlowsOf(port, snat)).Halves);
                    (await held.CheckAsync()).AssertHolds("p21");
                    Assert.Equal(FlowHalves.Both, FlowOf(port).Halves);
                    Assert.Equal(snat, FlowOf(port).Snat);
                }
            }
        }
    }

    [PrivilegedFact]
    public Task S97_a_connection_that_only_shows_that_it_is_alive_is_kept() => ForEachBackendAsync(async (service, v6) =>
    {
        string alive = NextPort(), idle = NextPort();
        await using var kept = await HoldAsync(service, v6, alive, "--keepalive", "1");
        await using var left = await HoldAsync(service, v6, idle);
        await ForgottenAsync(idle);
        Assert.Equal(FlowState.Established, FlowOf(alive).State);
        Assert.NotEmpty((await kept.CheckAsync()).Backends);

        // One that was forgotten is found again by what it is made of.
        ulong before = Node.Agent.Count(Reason.PickedUp);
        Assert.NotEmpty((await left.CheckAsync()).Backends);
        Assert.True(Node.Agent.Count(Reason.PickedUp) > before, "it was not picked up");
    });

    [PrivilegedFact]
    public async Task S98_datagrams_stay_with_their_endpoint_while_they_flow_and_are_forgotten_when_they_do_not()
    {
        var service = Node.NewService();
        foreach (bool v6 in OuterNode.Families)
        {
            await service.PublishAsync(Node.P11.Ready, Node.P21.Ready);
            await using var stream = Node.Outside.Stream("udp", service.LoadBalancer(v6), intervalMs: 50, "--same-socket");
            await stream.FlowAsync();
            await service.PublishAsync(Node.P13.Ready, Node.P21.Ready, Node.P22.Ready, Node.P11.Ready);
            await Task.Delay(2500);
            var report = await stream.StopAsync();
            report.AssertNoneFailed();
            Assert.Single(report.Backends);

            string port = NextPort();
            (await Node.Outside.UdpAsync(service.LoadBalancer(v6), count: 1, "--source-port", port)).AssertNoneFailed();
            Assert.Single(FlowsOf(port));
            await ForgottenAsync(port);
            (await Node.Outside.UdpAsync(service.LoadBalancer(v6), count: 1, "--source-port", port)).AssertNoneFailed();
        }
    }

    [PrivilegedFact]
    public Task S106_a_connection_stays_with_an_endpoint_that_left_the_service() => ForEachBackendAsync(async (service, v6, pod) =>
    {
        await using var held = await HoldAsync(service, v6, NextPort(), "--keepalive", "1");
        await service.PublishAsync(Node.P13.Ready);
        (await Node.Outside.TcpAsync(service.LoadBalancer(v6), count: 10)).AssertAnsweredBy("p13");
        (await held.CheckAsync()).AssertHolds(pod.Name);
        await SweptAsync(2);
        (await held.CheckAsync()).AssertHolds(pod.Name);
    });

    [PrivilegedFact]
    public async Task S132_connections_through_a_NodePort_survive_the_agent_and_its_next_start()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready, Node.P21.Ready);
        var holds = await Task.WhenAll(
            OuterNode.Families.Select(v6 => Node.Outside.HoldAsync(service.AtNodePort(v6), 10, "--keepalive", "1")));
        try
        {
            await Node.Agent.KillAsync();
            await AssertAliveAsync();
            await Node.Agent.StartAsync();
            await AssertAliveAsync();
            await SweptAsync(2);
            await AssertAliveAsync();
        }
        finally
        {
            foreach (var held in holds)
                await held.DisposeAsync();
        }

        async Task AssertAliveAsync()
        {
            foreach (var held in holds)
                (await held.CheckAsync()).AssertHolds("p11", "p21");
            foreach (bool v6 in OuterNode.Families)
                (await Node.Outside.TcpAsync(service.AtNodePort(v6), count: 20)).AssertAnsweredBy("p11", "p21");
        }
    }

    private static async Task EndServersSideAsync(LineProcess server)
    {
        int from = server.LineCount;
        await Programs.OutputOfAsync("/bin/kill", "-USR1", $"{server.Pid}");
        await server.WaitForLineAsync("\"ended\"", from);
    }

    private static void AssertNoReset(IEnumerable<string> frames) =>
        Assert.DoesNotContain(frames, frame => frame.Split(' ')[^1].Contains('R', StringComparison.Ordinal));

    private static int NextServerPort() => Interlocked.Increment(ref _serverPorts);

    private static string NextPort() => $"{Interlocked.Increment(ref _ports)}";

    private Task ForEachBackendAsync(Func<OuterService, bool, Task> test) => ForEachBackendAsync((service, v6, _) => test(service, v6));

    private async Task ForEachBackendAsync(Func<OuterService, bool, Client, Task> test)
    {
        // At once: most of the time of these is waiting.
        await Task.WhenAll(new[] { Node.P11, Node.P21 }.SelectMany(pod => OuterNode.Families.Select(v6 => (pod, v6))).Select(async place =>
        {
            var service = Node.NewService();
            await service.PublishAsync(place.pod.Ready);
            await test(service, place.v6, place.pod);
        }));
    }

    private Task<HeldConnections> HoldAsync(OuterService service, bool v6, string port, params string[] options) =>
        Node.Outside.HoldAsync(service.LoadBalancer(v6), 1, ["--source-port", port, .. options]);

    private IReadOnlyList<FlowView> FlowsOf(string port, AddressPort? snat = null) =>
        Node.Agent.ReadFlows(flow => $"{flow.Client.Port}" == port || (snat is not null && flow.Snat == snat));

    private FlowView FlowOf(string port) => Assert.Single(FlowsOf(port));

    private Task ForgottenAsync(string port) => Eventually.True(() => FlowsOf(port).Count == 0, $"the flow from port {port} is forgotten");

    // From the next one on that begins after this call.
    private async Task SweptAsync(int times)
    {
        for (int i = 0; i <= times; i++)
            await Node.Agent.LogOfAsync(() => { }, "Swept conntrack");
    }

    private void DeleteHalf(string port, bool reply)
    {
        using var maps = KernelMaps.Open(Node.Agent.Pins, writable: true);
        var entry = Assert.Single(maps.Conntrack.ReadAll(), entry =>
            entry.Value.Flags.HasFlag(ConntrackFlags.Reply) == reply
            && $"{(reply ? entry.Value.DestinationPort : entry.Key.SourcePort).Value}" == port);
        Assert.True(maps.Conntrack.Delete(entry.Key).Succeeded);
    }

    // It gets what is sent to it, and has no way to answer.
    private static async Task<Undo> DeafAsync(Client pod, bool v6)
    {
        string route = $"blackhole {(v6 ? $"{OuterNode.FirstV6}/128" : $"{OuterNode.FirstV4}/32")}";
        await pod.IpAsync($"route add {route}");
        return new Undo(() => pod.IpAsync($"route del {route}"));
    }
}
