// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Loading;
using EbpfLb.Datapath.Maps;
using EbpfLb.Datapath.Migration;
using EbpfLb.Linux.Bpf;
using EbpfLb.Linux.Processes;
using EbpfLb.Live.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit.Abstractions;

namespace EbpfLb.Live.Tests;

/// <summary>Maps of another version, older or newer, on a node that serves.</summary>
public sealed class UpgradeTests(XdpNode node, ITestOutputHelper output) : OuterTest(node), IClassFixture<XdpNode>
{
    private const string Earlier = "conntrack_v0";

    [PrivilegedTheory]
    [InlineData(131_072)]
    [InlineData(262_144)]
    [InlineData(524_288)]
    public async Task S139_flows_of_an_earlier_version_go_on_in_the_next_one(uint size)
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready, Node.P21.Ready);
        await Node.Agent.KillAsync();
        await InstallEarlierAsync();
        await using var load = await SteadyLoad.StartAsync(Node.Outside, service.AtNodePort(), timeoutMs: 5000);
        var before = InstalledLinks.Read(Node.Agent.Pins);

        var options = new DatapathOptions
        {
            BpfFs = Node.Agent.BpfFs,
            Cgroup = Node.Agent.Cgroup,
            MapSizes = new Dictionary<string, uint> { [MapNames.Conntrack] = size },
            Conversions = [new MapConversion(Earlier, MapNames.Conntrack, SameLayout)],
        };
        using (var datapath = await Datapath.Loading.Datapath.OpenAsync(
            options, new Bpftool(Bpftool.Locate(null), new ProcessRunner()), NullLogger<Datapath.Loading.Datapath>.Instance,
            CancellationToken.None))
        {
            Assert.Equal(size, datapath.Maps.Conntrack.MaxEntries);
            await load.FlowAsync();
        }

        before.AssertReplacedIn(InstalledLinks.Read(Node.Agent.Pins));
        Assert.False(File.Exists(Path.Combine(Node.Agent.Pins, Earlier)));
        await Node.Agent.StartAsync();
        await load.StopAsync("p11", "p21");
        output.WriteLine($"{load.Conversations} conversations, 0 failed");
    }

    [PrivilegedFact]
    public async Task S141_an_older_agent_refuses_the_maps_of_a_newer_one_and_the_datapath_serves_on()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready);
        await using var held = await Node.Outside.HoldAsync(service.AtNodePort(), 10);
        await Node.Agent.KillAsync();
        string own = Path.Combine(Node.Agent.Pins, MapNames.Conntrack), newer = Path.Combine(Node.Agent.Pins, "conntrack_v2");
        File.Move(own, newer);
        try
        {
            var links = InstalledLinks.Read(Node.Agent.Pins);
            var refused = await Node.Agent.RunToEndAsync();
            Assert.Equal(1, refused.ExitCode);
            Assert.Equal(
                $"error: {newer} is version 2 of conntrack; this agent supports it up to version 1. A newer agent made it, and its programs go on "
                + "serving what it programmed last. Start that one again, or give up its state with 'ebpflb cleanup' and start this one: flows "
                + "through this node then end.\n",
                refused.StdErr);
            Assert.Equal(links.ByPin, InstalledLinks.Read(Node.Agent.Pins).ByPin);
            (await held.CheckAsync()).AssertHolds("p11");
            (await Node.Outside.TcpAsync(service.AtNodePort(), count: 10)).AssertAnsweredBy("p11");
        }
        finally
        {
            File.Move(newer, own);
        }

        await Node.Agent.StartAsync();
        (await held.CheckAsync()).AssertHolds("p11");
    }

    [PrivilegedFact]
    public async Task S141_what_a_newer_agent_left_is_gone_after_a_cleanup()
    {
        await using var node = await LiveNode.CreateAsync();
        await node.Agent.KillAsync();
        File.Move(Path.Combine(node.Agent.Pins, MapNames.Services), Path.Combine(node.Agent.Pins, "services_v2"));
        Assert.Equal(1, (await node.Agent.RunToEndAsync()).ExitCode);
        Assert.Equal(0, (await node.Agent.CommandAsync("cleanup")).ExitCode);
        Assert.False(Directory.Exists(node.Agent.Pins));
        await node.Agent.StartAsync();
        var service = node.NewService();
        await service.PublishAsync(node.P11.Ready);
        (await node.P12.TcpAsync(service, DialFamily.V4)).AssertAnsweredBy("p11");
    }

    private static bool SameLayout(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, Span<byte> newKey, Span<byte> newValue)
    {
        key.CopyTo(newKey);
        value.CopyTo(newValue);
        return true;
    }

    // The same programs over a map of an earlier version: the name has as many bytes, so it is replaced in the objects as they are.
    private async Task InstallEarlierAsync()
    {
        string pins = Node.Agent.Pins, programs = Path.Combine(pins, "programs"), build = Path.Combine(programs, "earlier");
        File.Move(Path.Combine(pins, MapNames.Conntrack), Path.Combine(pins, Earlier));
        var maps = MapNames.All.ToDictionary(
            name => name == MapNames.Conntrack ? Earlier : name, name => Path.Combine(pins, name == MapNames.Conntrack ? Earlier : name));
        foreach (string name in new[] { "lb_sock", "lb_xdp", "lb_tc", "lb_sweep" })
        {
            string file = Path.Combine(Node.Playground.Directory, $"{name}.o");
            await File.WriteAllBytesAsync(file, Renamed(await File.ReadAllBytesAsync(Programs.BpfObject(name))));
            await new Bpftool(Bpftool.Locate(null), new ProcessRunner()).LoadAllAsync(file, build, maps, null, Eventually.Timeout());
        }

        foreach (var (pin, _) in InstalledLinks.Read(pins).ByPin)
        {
            string name = pin.StartsWith("xdp_", StringComparison.Ordinal) ? "xdp_ingress"
                : pin.StartsWith("tcx_in_", StringComparison.Ordinal) ? "tc_ingress"
                : pin.StartsWith("tcx_out_", StringComparison.Ordinal) ? "tc_egress" : pin;
            using var link = BpfLink.OpenPinned(Path.Combine(pins, "links", pin));
            using var program = BpfProgram.OpenPinned(Path.Combine(build, name));
            link.Update(program);
        }

        foreach (string other in Directory.GetDirectories(programs).Where(path => path != build).ToArray())
            Directory.Delete(other, recursive: true);
    }

    private static byte[] Renamed(byte[] content)
    {
        byte[] from = System.Text.Encoding.ASCII.GetBytes(MapNames.Conntrack), to = System.Text.Encoding.ASCII.GetBytes(Earlier);
        int replaced = 0;
        for (int at = content.AsSpan().IndexOf(from); at >= 0; at = content.AsSpan().IndexOf(from))
        {
            to.CopyTo(content.AsSpan(at));
            replaced++;
        }

        Assert.NotEqual(0, replaced);
        return content;
    }
}
