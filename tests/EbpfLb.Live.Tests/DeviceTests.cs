// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Linux.Bpf;
using EbpfLb.Linux.Netlink;
using EbpfLb.Linux.Processes;
using EbpfLb.Live.Tests.Support;

namespace EbpfLb.Live.Tests;

/// <summary>Devices come, change and go, and have programs of others; so do the ways behind them.</summary>
public sealed class DeviceTests
{
    [PrivilegedFact]
    public async Task S165_devices_are_followed_and_traffic_of_others_is_not_disturbed()
    {
        await using var node = await OuterNode.CreateAsync("--devices", "eth0,up*");
        var service = node.NewService();
        await service.PublishAsync(node.P11.Ready, node.P21.Ready);
        int links = DeviceLinks(node).Count;
        await using var stream = node.Distant.Stream("tcp", service.LoadBalancer(), intervalMs: 5);
        await stream.FlowAsync();

        await AddAsync();
        await AssertServedAsync("up1 is new");
        await node.Outside.IpAsync("link del side");
        await Eventually.True(() => DeviceLinks(node).Count == links, "no link of the device that went is left");

        await AddAsync();
        await AssertServedAsync("up1 is there again");
        await node.Host.IpAsync("link set up1 down");
        await node.Host.IpAsync("link set up1 name up2");
        await node.Host.IpAsync("link set up2 up");
        await AssertServedAsync("up1 is up2");

        foreach (int mtu in new[] { 9000, 1400 })
        {
            await node.Host.IpAsync($"link set up2 mtu {mtu}");
            await node.Outside.IpAsync($"link set side mtu {mtu}");
            await AssertServedAsync($"up2 has an MTU of {mtu}");
            Assert.Equal(1 << 20, (await node.Outside.TransferAsync(service.AtNodePort("172.20.0.1"), 1 << 20)).Bytes);
        }

        await node.Host.IpAsync($"link set up2 netns {node.Distant.NetworkNamespace}");
        await Eventually.True(() => DeviceLinks(node).Count == links, "no link of the device that moved away is left");

        (await stream.StopAsync()).AssertAnsweredBy("p11", "p21");
        Assert.DoesNotContain("warn", node.Agent.Log, StringComparison.OrdinalIgnoreCase);

        async Task AddAsync()
        {
            await node.Outside.IpAsync($"link add side type veth peer name up1 netns {node.Host.NetworkNamespace}");
            await node.Host.IpAsync("link set up1 up");
            await node.Host.IpAsync("addr add 172.20.0.1/24 dev up1");
            await node.Outside.IpAsync("link set side up");
            await node.Outside.IpAsync("addr add 172.20.0.254/24 dev side");
        }

        async Task AssertServedAsync(string what)
        {
            var target = service.AtNodePort("172.20.0.1");
            for (int i = 0; ; i++)
            {
                var report = await node.Outside.TcpAsync(target, count: 20, "--timeout", "500");
                if (report.Failed == 0)
                {
                    report.AssertAnsweredBy("p11", "p21");
                    return;
                }

                Assert.True(i < 20, $"not served after all: {what}\n{node.Agent.Log}");
                await Task.Delay(100);
            }
        }
    }

    [PrivilegedFact]
    public async Task S166_a_foreign_XDP_program_stays_and_the_device_is_served_by_tc_until_it_goes()
    {
        await using var node = await OuterNode.PrepareAsync();
        using var foreign = PassProgram.LoadXdp(Path.Combine(node.Playground.BpfFs, "xdp"));
        await node.Host.IpAsync($"link set dev eth0 xdp pinned {foreign.Pin}");
        await node.Agent.StartAsync();
        await node.Agent.WaitForLogAsync($"eth0 has a foreign XDP program, program {foreign.Id} '{PassProgram.Name}'");
        Assert.Equal(foreign.Id, Uplink(node).XdpProgramId);
        var status = await Programs.RunAsync(
            "nsenter", $"--net={node.Host.NetworkNamespace}", Programs.Ebpflb, "status", "--bpffs", node.Agent.BpfFs);
        Assert.Matches($"\neth0 +[0-9]+ +uplink +foreign program {foreign.Id} '{PassProgram.Name}' +attached +attached\n", status.StdOut);

        var service = node.NewService();
        await service.PublishAsync(node.P11.Ready, node.P21.Ready);
        ulong byTc = node.Agent.Count(Hook.TcIngress, Reason.NewFlow);
        foreach (bool v6 in OuterNode.Families)
            (await node.Outside.TcpAsync(service.LoadBalancer(v6), count: 20)).AssertAnsweredBy("p11", "p21");
        Assert.True(node.Agent.Count(Hook.TcIngress, Reason.NewFlow) >= byTc + 40, "tc did not serve");

        await node.Host.IpAsync("link set dev eth0 xdp off");
        await node.Agent.WaitForLogAsync("eth0: Xdp is in place now");
        Assert.NotEqual(0u, Uplink(node).XdpProgramId);
        foreach (bool v6 in OuterNode.Families)
            (await node.Outside.TcpAsync(service.LoadBalancer(v6), count: 20)).AssertAnsweredBy("p11", "p21");
    }

    [PrivilegedFact]
    public async Task S167_foreign_programs_at_tc_run_before_and_after_ours_and_outlive_them()
    {
        await using var node = await OuterNode.PrepareAsync();
        using var foreign = PassProgram.LoadTcx(Path.Combine(node.Playground.BpfFs, "tcx"));
        using var later = PassProgram.LoadTcx(Path.Combine(node.Playground.BpfFs, "tcx2"));
        using var inside = NetworkNamespace.Open(node.Host.NetworkNamespace);
        int eth0 = Uplink(node).Index;
        string[] tc = [$"--net={node.Host.NetworkNamespace}", "tc"];
        await Programs.OutputOfAsync("nsenter", [.. tc, "qdisc", "add", "dev", "eth0", "clsact"]);
        await Programs.OutputOfAsync("nsenter", [.. tc, "filter", "add", "dev", "eth0", "ingress", "bpf", "da", "pinned", foreign.Pin]);
        using var firstIn = inside.Run(() => foreign.AttachTcx(eth0, egress: false));
        using var firstOut = inside.Run(() => foreign.AttachTcx(eth0, egress: true));
        await node.Agent.StartAsync();
        using var lastIn = inside.Run(() => later.AttachTcx(eth0, egress: false));
        using var lastOut = inside.Run(() => later.AttachTcx(eth0, egress: true));

        var service = node.NewService();
        await service.PublishAsync(node.P11.Ready, node.P21.Ready);
        foreach (bool v6 in OuterNode.Families)
            (await node.Outside.TcpAsync(service.LoadBalancer(v6), count: 20)).AssertAnsweredBy("p11", "p21");
        foreach (bool egress in new[] { false, true })
        {
            var programs = inside.Run(() => BpfTcx.QueryPrograms(eth0, egress));
            Assert.Equal(3, programs.Count);
            Assert.Equal((foreign.Id, later.Id), (programs[0], programs[2]));
        }

        Assert.Equal(0, await node.Agent.TerminateAsync());
        Assert.Equal(0, (await node.Agent.CommandAsync("cleanup")).ExitCode);
        foreach (bool egress in new[] { false, true })
            Assert.Equal([foreign.Id, later.Id], inside.Run(() => BpfTcx.QueryPrograms(eth0, egress)));
        string filters = await Programs.OutputOfAsync("nsenter", [.. tc, "filter", "show", "dev", "eth0", "ingress"]);
        Assert.Contains("bpf", filters, StringComparison.Ordinal);
        Assert.Equal(0u, Uplink(node).XdpProgramId);
    }

    [PrivilegedFact]
    public async Task A_connection_follows_the_route_to_its_backend()
    {
        await using var node = await OuterNode.PrepareAsync();
        await node.MakeReadyForXdpAsync();
        await node.Host.IpAsync($"link add side0 type veth peer name side0 netns {node.SecondHost.NetworkNamespace}");
        foreach (var (place, number) in new[] { (node.Host, 1), (node.SecondHost, 2) })
        {
            await place.IpAsync("link set side0 up");
            await place.IpAsync($"addr add 10.20.0.{number}/24 dev side0");
            await place.IpAsync($"addr add fd00:10:20::{number}/64 dev side0 nodad");
        }

        await node.Agent.StartAsync();
        var service = node.NewService();
        await service.PublishAsync(node.P21.Ready);
        foreach (bool v6 in OuterNode.Families)
        {
            await using var held = await node.Outside.HoldAsync(service.LoadBalancer(v6), count: 3);
            string route = $"route replace {(v6 ? "fd00:10:244:2::/64" : "10.244.2.0/24")} via";
            await node.Host.IpAsync($"{route} {(v6 ? "fd00:10:20::2" : "10.20.0.2")}");
            Assert.Equal(3, (await held.CheckAsync()).Backends.Values.Sum());
            await using var frames = await node.Outside.WatchAsync("n2", v6 ? node.P21.V6 : node.P21.V4);
            Assert.Equal(3, (await held.CheckAsync()).Backends.Values.Sum());
            var seen = await frames.StopAsync();
            // Only what comes back is seen here now.
            Assert.NotEmpty(seen);
            Assert.DoesNotContain(seen.Keys, frame => frame.StartsWith("out ", StringComparison.Ordinal));
            await node.Host.IpAsync($"{route} {(v6 ? OuterNode.SecondV6 : OuterNode.SecondV4)}");
            Assert.Equal(3, (await held.CheckAsync()).Backends.Values.Sum());
        }
    }

    [PrivilegedFact]
    public async Task A_connection_follows_the_hardware_address_of_the_next_hop()
    {
        await using var node = await OuterNode.PrepareAsync();
        await node.MakeReadyForXdpAsync();
        await node.SecondHost.WriteAsync("/proc/sys/net/ipv4/conf/eth0/arp_notify", "1");
        await node.SecondHost.WriteAsync("/proc/sys/net/ipv6/conf/eth0/ndisc_notify", "1");
        await node.Agent.StartAsync();
        var service = node.NewService();
        await service.PublishAsync(node.P21.Ready);
        await using var v4 = await node.Outside.HoldAsync(service.LoadBalancer(), count: 3);
        await using var v6 = await node.Outside.HoldAsync(service.LoadBalancer(v6: true), count: 3);
        await node.SecondHost.IpAsync("link set eth0 address 02:00:00:00:02:99");
        foreach (var held in new[] { v4, v6 })
            Assert.Equal(3, (await held.CheckAsync()).Backends.Values.Sum());
    }

    private static List<string> DeviceLinks(OuterNode node) =>
        [.. Directory.GetFiles(Path.Combine(node.Agent.Pins, "links")).Select(path => Path.GetFileName(path))
            .Where(name => name.StartsWith("xdp_", StringComparison.Ordinal) || name.StartsWith("tcx_", StringComparison.Ordinal))];

    private static NetworkLink Uplink(OuterNode node)
    {
        using var inside = NetworkNamespace.Open(node.Host.NetworkNamespace);
        return Assert.Single(inside.Run(NetworkDump.Links), link => link.Name == "eth0");
    }
}
