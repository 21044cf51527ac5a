// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using System.Net.Sockets;
using EbpfLb.Linux.Processes;
using EbpfLb.Live.Tests.Support;

namespace EbpfLb.Live.Tests;

/// <summary>What neighbours try, and settings of the node that are not as they should be.</summary>
public sealed class HostileNodeTests(OuterNode node) : OuterTest(node), IClassFixture<OuterNode>
{
    private const string Ipv4 = "/proc/sys/net/ipv4/conf";

    [PrivilegedFact]
    public async Task S181_S199_traffic_is_as_ever_with_strict_reverse_paths_and_routed_loopback_which_nobody_outside_reaches_a_pod_through()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready, Node.P21.Ready);
        string[] settings = [$"{Ipv4}/all/rp_filter", $"{Ipv4}/all/route_localnet"];
        string[] before = await Task.WhenAll(settings.Select(Node.Host.ReadAsync));
        try
        {
            foreach (string setting in settings)
                await Node.Host.WriteAsync(setting, "1");
            foreach (var target in service.OuterTargets())
                (await Node.Outside.TcpAsync(target, count: 20)).AssertAnsweredBy("p11", "p21");
            foreach (bool v6 in OuterNode.Families)
                (await Node.P12.TcpAsync(service.ClusterIP(v6), count: 20)).AssertAnsweredBy("p11", "p21");

            await Node.Outside.WriteAsync($"{Ipv4}/all/route_localnet", "1");
            foreach (string route in new[] { "local 127.0.0.0/8 dev lo", "local 127.0.0.1 dev lo" })
                await Node.Outside.IpAsync($"route del table local {route}");
            await Node.Outside.IpAsync("route add 127.0.0.0/8 via 10.10.0.1 src 192.0.2.10");
            await using var routes = new Undo(async () =>
            {
                await Node.Outside.IpAsync("route del 127.0.0.0/8");
                await Node.Outside.IpAsync("route add table local local 127.0.0.0/8 dev lo");
            });
            foreach (var answer in new[]
                {
                    await Node.Outside.TcpAsync(service.AtNodePort("127.0.0.1"), count: 3, "--timeout", "300"),
                    await Node.Outside.UdpAsync(service.AtNodePort("127.0.0.1"), count: 3, "--timeout", "300"),
                })
                Assert.Equal(0, answer.Succeeded);
        }
        finally
        {
            foreach (var (setting, value) in settings.Zip(before))
                await Node.Host.WriteAsync(setting, value.Trim());
        }
    }

    [PrivilegedFact]
    public async Task S194_only_the_documented_ports_listen()
    {
        string listing = await Programs.OutputOfAsync("nsenter", $"--net={Node.Host.NetworkNamespace}", "ss", "-Hltnup");
        string own = $"pid={Node.Agent.Pid},";
        string[] lines = [.. listing.Split('\n').Where(line => line.Contains(own, StringComparison.Ordinal))];
        Assert.Equal(
            ["*:10256", "127.0.0.1:10249"],
            lines.Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[4]).Order(StringComparer.Ordinal));
    }

    [PrivilegedFact]
    public async Task S200_a_scan_from_outside_finds_only_what_is_meant_for_the_outside()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready, Node.P21.Ready);
        using var outside = NetworkNamespace.Open(Node.Outside.NetworkNamespace);

        var atNode = outside.Run(() => Scan(
            OuterNode.FirstV4, [.. Enumerable.Range(1, 1023), .. Enumerable.Range(10200, 100), .. Enumerable.Range(30000, 2768)]));
        Assert.Equal([10256, service.NodePort], atNode);
        Assert.Equal([OuterService.Port], outside.Run(() => Scan(service.LoadBalancer().Address, Enumerable.Range(1, 200))));
        Assert.Empty(outside.Run(() => Scan(service.ClusterIP().Address, Enumerable.Range(60, 40))));
    }

    // All at once, so that those that nobody answers cost one wait.
    private static int[] Scan(string address, IEnumerable<int> ports)
    {
        var found = new List<int>();
        foreach (int[] some in ports.Chunk(200))
        {
            var attempts = some.Select(port =>
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                return (port, socket, connected: socket.ConnectAsync(IPAddress.Parse(address), port));
            }).ToArray();
            Task.WaitAll([.. attempts.Select(attempt => attempt.connected.ContinueWith(_ => { }, TaskScheduler.Default))], TimeSpan.FromSeconds(1));
            found.AddRange(attempts.Where(attempt => attempt.connected.IsCompletedSuccessfully).Select(attempt => attempt.port));
            foreach (var (_, socket, _) in attempts)
                socket.Dispose();
        }

        return [.. found.Order()];
    }
}
