// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Live.Tests.Support;

namespace EbpfLb.Live.Tests;

/// <summary>What clients outside are promised, whoever serves the packets.</summary>
public abstract class PacketPathTests(OuterNode node) : OuterTest(node)
{
    /// <summary>The hook at which flows from outside begin here.</summary>
    internal abstract Hook FirstHook { get; }

    [PrivilegedFact]
    public async Task S10_every_endpoint_answers_through_every_address_for_the_outside_and_the_client_sees_only_that_address()
    {
        var service = Node.NewService() with { HasExternalIPs = true };
        await service.PublishAsync(Node.P11.Ready, Node.P13.Ready, Node.P21.Ready, Node.P22.Ready);
        ulong before = Node.Agent.Count(FirstHook, Reason.NewFlow);
        foreach (var client in new[] { Node.Outside, Node.Distant })
        {
            foreach (var target in service.OuterTargets())
            {
                var tcp = await client.TcpAsync(target, count: 40);
                tcp.AssertAnsweredBy("p11", "p13", "p21", "p22");
                Assert.Equal([target.Tcp], tcp.Peernames.Keys);
                AssertSources(tcp, client, target.IsV6);

                var udp = await client.UdpAsync(target, count: 40);
                udp.AssertAnsweredBy("p11", "p13", "p21", "p22");
                Assert.Equal([target.Udp], udp.From.Keys);
                AssertSources(udp, client, target.IsV6);
            }
        }

        Assert.True(Node.Agent.Count(FirstHook, Reason.NewFlow) > before, $"{FirstHook} began no flow");
    }

    [PrivilegedFact]
    public async Task S13_under_policy_Local_only_endpoints_of_the_node_answer_and_they_see_the_client()
    {
        var service = Node.NewService("externalTrafficPolicy: Local");
        await service.PublishAsync(Node.P11.Ready, Node.P13.Ready, Node.P21.Ready);
        foreach (var target in service.OuterTargets())
        {
            foreach (var report in new[] { await Node.Distant.TcpAsync(target, count: 30), await Node.Distant.UdpAsync(target, count: 30) })
            {
                report.AssertAnsweredBy("p11", "p13");
                Assert.Equal([Node.Distant.Source(target.IsV6 ? DialFamily.V6 : DialFamily.V4)], report.Sources.Keys);
            }
        }
    }

    [PrivilegedFact]
    public async Task S14_under_policy_Local_without_an_endpoint_of_the_node_nothing_comes_back_and_every_opening_is_counted()
    {
        var service = Node.NewService("externalTrafficPolicy: Local");
        await service.PublishAsync(Node.P21.Ready, Node.P22.Ready);
        foreach (var target in service.OuterTargets())
        {
            ulong before = Node.Agent.Count(Reason.NoLocalEndpoint);
            await using var frames = await Node.Outside.WatchAsync("n1", target.Address);
            (await Node.Outside.TcpAsync(target, count: 1, "--timeout", "300")).AssertAllFailedWith("timeout");
            (await Node.Outside.UdpAsync(target, count: 1, "--connected", "--timeout", "300")).AssertAllFailedWith("timeout");
            var seen = await frames.StopAsync();
            Assert.Equal(2, seen.Where(frame => frame.Key.StartsWith("out ", StringComparison.Ordinal)).Sum(frame => frame.Value));
            Assert.DoesNotContain(seen.Keys, frame => frame.StartsWith("in ", StringComparison.Ordinal));
            Assert.Equal(before + 2, Node.Agent.Count(Reason.NoLocalEndpoint));
        }
    }

    [PrivilegedFact]
    public async Task S17_a_service_without_endpoints_refuses_connections_to_all_its_addresses_from_everywhere()
    {
        var service = Node.NewService() with { HasExternalIPs = true };
        await service.PublishAsync();
        foreach (var target in service.OuterTargets())
        {
            (await Node.Outside.TcpAsync(target, count: 2)).AssertAllFailedWith("ECONNREFUSED");
            (await Node.Distant.TcpAsync(target)).AssertAllFailedWith("ECONNREFUSED");
        }

        foreach (var client in new[] { Node.P12, Node.Host })
        {
            foreach (var target in service.Targets())
                (await client.TcpAsync(target)).AssertAllFailedWith("ECONNREFUSED");
        }
    }

    [PrivilegedFact]
    public async Task S18_a_service_without_endpoints_refuses_datagrams_to_all_its_addresses_from_everywhere()
    {
        var service = Node.NewService() with { HasExternalIPs = true };
        await service.PublishAsync();
        foreach (var target in service.OuterTargets())
        {
            (await Node.Outside.UdpConnectedAsync(target, count: 2)).AssertAllFailedWith("ECONNREFUSED");
            (await Node.Distant.UdpConnectedAsync(target)).AssertAllFailedWith("ECONNREFUSED");
        }

        foreach (var client in new[] { Node.P12, Node.Host })
        {
            foreach (var target in service.Targets())
                (await client.UdpConnectedAsync(target)).AssertAllFailedWith("ECONNREFUSED");
        }
    }

    [PrivilegedFact]
    public async Task S46_a_packet_whose_hops_are_used_up_goes_nowhere_and_its_sender_learns_where_it_ended()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P21.Ready);
        foreach (var target in service.OuterTargets())
        {
            foreach (string protocol in new[] { "tcp", "udp" })
            {
                await using var frames = await Node.Outside.WatchAsync("n2", Node.P21.V4, Node.P21.V6);
                var hops = await Node.Outside.TraceAsync(protocol, target, hops: 1);
                Assert.StartsWith(target.IsV6 ? "3/0 from " : "11/0 from ", hops[0], StringComparison.Ordinal);
                Assert.Empty(await frames.StopAsync());
            }
        }
    }

    [PrivilegedFact]
    public async Task S46_a_hop_is_counted_once_whether_the_backend_is_here_or_elsewhere()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P21.Ready);
        foreach (bool v6 in OuterNode.Families)
        {
            await using var frames = await Node.Outside.WatchAsync("n2", v6 ? Node.P21.V6 : Node.P21.V4);
            (await Node.Outside.TcpAsync(service.LoadBalancer(v6))).AssertAnsweredBy("p21");
            string[] there = [.. (await frames.StopAsync()).Keys.Where(frame => frame.StartsWith("out ", StringComparison.Ordinal))];
            Assert.NotEmpty(there);
            Assert.All(there, frame => Assert.Contains(" ttl 63 ", frame, StringComparison.Ordinal));
        }
    }

    [PrivilegedFact]
    public async Task S78_a_trace_shows_each_hop_once_and_ends_at_the_service()
    {
        await Node.LiftErrorLimitsAsync();
        var service = Node.NewService();
        foreach (var (pod, hopsToIt) in new[] { (Node.P11, 3), (Node.P21, 4) })
        {
            await service.PublishAsync(pod.Ready);
            foreach (var target in service.OuterTargets())
            {
                foreach (string protocol in new[] { "tcp", "udp" })
                {
                    var hops = await Node.Distant.TraceAsync(protocol, target, hopsToIt);
                    string exceeded = target.IsV6 ? "3/0 from " : "11/0 from ";
                    Assert.Equal(exceeded + (target.IsV6 ? "2001:db8:51::1" : "198.51.100.1"), hops[0]);
                    Assert.All(hops.SkipLast(1), hop => Assert.StartsWith(exceeded, hop, StringComparison.Ordinal));
                    // Nobody beyond the node is named: outside, what is behind a service does not exist.
                    Assert.DoesNotContain(hops, hop => hop.Contains(target.IsV6 ? pod.V6 : pod.V4, StringComparison.Ordinal));
                    Assert.Equal(pod.Name, hops[^1]);
                }
            }
        }
    }

    [PrivilegedFact]
    public async Task S51_ten_megabytes_arrive_as_they_were_sent_whoever_computes_the_checksums()
    {
        var service = Node.NewService();
        foreach (var pod in new[] { Node.P11, Node.P21 })
        {
            await service.PublishAsync(pod.Ready);
            foreach (bool offload in new[] { false, true })
            {
                Client[] ends = [Node.Distant, pod];
                foreach (var end in ends)
                    await end.OffloadAsync("eth0", offload);
                long[] before = await Task.WhenAll(ends.Select(ChecksumErrorsAsync));
                foreach (bool v6 in OuterNode.Families)
                {
                    var report = await Node.Distant.TransferAsync(service.LoadBalancer(v6), 10 << 20);
                    report.AssertAnsweredBy(pod.Name);
                    Assert.Equal(10 << 20, report.Bytes);
                }

                Assert.Equal(before, await Task.WhenAll(ends.Select(ChecksumErrorsAsync)));
            }
        }
    }

    [PrivilegedFact]
    public async Task S70_nobody_answers_an_echo_request_to_a_service_and_it_goes_nowhere()
    {
        var service = Node.NewService() with { HasExternalIPs = true };
        await service.PublishAsync(Node.P11.Ready, Node.P21.Ready);
        foreach (var target in service.Targets().Where(target => target.Kind != "NodePort"))
        {
            await using var toSecond = await Node.Outside.WatchAsync("n2", target.Address, Node.P21.V4, Node.P21.V6);
            if (target.Kind == "ClusterIP")
            {
                await using var uplink = await Node.Outside.WatchAsync("n1", target.Address);
                Assert.Equal(["timeout"], (await Node.P12.PingAsync(target.Address, count: 1, timeoutMs: 200)).Answers.Keys);
                // What is dropped on its way out is told to the sender on the node itself.
                var host = await Node.Host.PingAsync(target.Address, count: 1, timeoutMs: 200);
                Assert.Subset(new HashSet<string> { "timeout", "ENOBUFS" }, host.Answers.Keys.ToHashSet());
                Assert.Empty(await uplink.StopAsync());
            }
            else
            {
                // From inside it goes its way: the address may be a host's. What comes in for it ends here.
                Assert.Equal(["timeout"], (await Node.Distant.PingAsync(target.Address, count: 1, timeoutMs: 200)).Answers.Keys);
            }

            Assert.Empty(await toSecond.StopAsync());
        }

        // The node itself still answers.
        Assert.Equal(["0/0"], (await Node.Distant.PingAsync(OuterNode.FirstV4, count: 1, timeoutMs: 1000)).Answers.Keys);
    }

    [PrivilegedFact]
    public async Task An_external_address_that_is_a_hosts_leaves_the_host_within_reach()
    {
        const string Client = "192.0.2.10", OtherNode = "10.10.0.2";
        var service = Node.NewService() with { LoadBalancerIPs = [Client, OtherNode] };
        await service.PublishAsync(Node.P11.Ready);
        foreach (string host in new[] { Client, OtherNode })
        {
            Assert.Equal(["0/0"], (await Node.Host.PingAsync(host, count: 1, timeoutMs: 1000)).Answers.Keys);
            Assert.Equal(["0/0"], (await Node.P12.PingAsync(host, count: 1, timeoutMs: 1000)).Answers.Keys);
        }

        // Answers of the node's own to it are no service's either.
        Assert.Equal(["0/0"], (await Node.Outside.PingAsync(OuterNode.FirstV4, count: 1, timeoutMs: 1000)).Answers.Keys);
    }

    [PrivilegedFact]
    public async Task S71_a_datagram_that_no_socket_of_the_backend_takes_is_refused()
    {
        var service = Node.NewService() with { TargetPort = 9999 };
        foreach (var pod in new[] { Node.P11, Node.P21 })
        {
            await service.PublishAsync(pod.Ready);
            foreach (var target in service.OuterTargets())
                (await Node.Distant.UdpConnectedAsync(target, count: 2)).AssertAllFailedWith("ECONNREFUSED");
        }
    }

    // Sources of this node's endpoints are the client; those of another are told by the node's address.
    private static void AssertSources(ProbeReport report, Client client, bool v6)
    {
        string[] expected = [client.Source(v6 ? DialFamily.V6 : DialFamily.V4), v6 ? $"[{OuterNode.FirstV6}]" : OuterNode.FirstV4];
        Assert.Equal(expected.Order(StringComparer.Ordinal), report.Sources.Keys.Order(StringComparer.Ordinal));
    }

    private static async Task<long> ChecksumErrorsAsync(Client client)
    {
        string[] lines = (await client.ReadAsync("/proc/net/snmp")).Split('\n');
        string[] tcp = [.. lines.Where(line => line.StartsWith("Tcp:", StringComparison.Ordinal))];
        int column = Array.IndexOf(tcp[0].Split(' '), "InCsumErrors");
        return long.Parse(tcp[1].Split(' ')[column], System.Globalization.CultureInfo.InvariantCulture);
    }
}

/// <summary>Native XDP that sends to the fabric itself.</summary>
public sealed class XdpPathTests(XdpNode node) : PacketPathTests(node), IClassFixture<XdpNode>
{
    internal override Hook FirstHook => Hook.Xdp;
}

/// <summary>
/// As it is on nodes that are containers themselves: XDP is in place, but senders leave checksums to devices, and the fabric takes no frames
/// from XDP. It hands down nearly all of it.
/// </summary>
public sealed class PlainPathTests(OuterNode node) : PacketPathTests(node), IClassFixture<OuterNode>
{
    internal override Hook FirstHook => Hook.TcIngress;
}

/// <summary>--xdp off.</summary>
public sealed class TcPathTests(TcNode node) : PacketPathTests(node), IClassFixture<TcNode>
{
    internal override Hook FirstHook => Hook.TcIngress;
}
