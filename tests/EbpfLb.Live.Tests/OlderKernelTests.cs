// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Linux.Bpf;
using EbpfLb.Linux.Netlink;
using EbpfLb.Linux.Processes;
using EbpfLb.Live.Tests.Support;

namespace EbpfLb.Live.Tests;

/// <summary>As on Linux 6.1, which has neither tcx nor drivers that say what they can do. 'make kernels' runs such kernels themselves.</summary>
public sealed class OlderKernelTests
{
    [PrivilegedFact]
    public async Task S173_without_tcx_filters_of_clsact_serve_and_a_restart_loses_nothing()
    {
        await using var node = await OuterNode.CreateAsync("--devices", "eth0", "--without", "tcx,driver-features");
        using var inside = NetworkNamespace.Open(node.Host.NetworkNamespace);
        int eth0 = inside.Run(() => NetworkDump.Links().Single(link => link.Name == "eth0").Index);
        Assert.Contains("tcx no (filters of clsact take its place)", node.Agent.Log, StringComparison.Ordinal);
        Assert.Empty(inside.Run(() => BpfTcx.QueryPrograms(eth0, egress: false)));
        var before = Filters();
        Assert.Equal(2, before.Count);

        var service = node.NewService();
        await service.PublishAsync(node.P11.Ready, node.P21.Ready);
        foreach (bool v6 in OuterNode.Families)
            (await node.Outside.TcpAsync(service.LoadBalancer(v6), count: 20)).AssertAnsweredBy("p11", "p21");
        Assert.True(node.Agent.Count(Hook.TcIngress, Reason.NewFlow) > 0, "tc did not serve");

        await using var stream = node.Distant.Stream("tcp", service.LoadBalancer(), intervalMs: 5);
        await stream.FlowAsync();
        await node.Agent.KillAsync();
        await stream.FlowAsync();
        await node.Agent.StartAsync();
        await stream.FlowAsync();
        Assert.Equal(before, Filters());
        (await stream.StopAsync()).AssertAnsweredBy("p11", "p21");

        Assert.Equal(0, await node.Agent.TerminateAsync());
        string[] cleanup = [$"--net={node.Host.NetworkNamespace}", Programs.Ebpflb, "cleanup", "--bpffs", node.Playground.BpfFs];
        await Programs.OutputOfAsync("nsenter", cleanup);
        Assert.Empty(Filters());
        Assert.Equal("", inside.Run(() => ClsactFilters.QdiscKind(eth0)));

        List<ClsactFilter> Filters() => inside.Run(() =>
            (List<ClsactFilter>)[.. ClsactFilters.List(eth0, egress: false), .. ClsactFilters.List(eth0, egress: true)]);
    }

    [PrivilegedFact]
    public async Task S173_a_kernel_that_lacks_what_is_required_is_refused_by_name()
    {
        using var ground = new AgentGround();
        await using var agent = new LiveAgent(ground.BpfFs, ground.Cgroup, ground.Manifests, "--without", "set-retval,links");

        var result = await agent.RunToEndAsync();
        Assert.Equal(1, result.ExitCode);
        Assert.Contains(
            "links (Linux 5.9), set-retval (Linux 6.1). Nothing was loaded. Run it on Linux 6.1 or later.", result.StdErr,
            StringComparison.Ordinal);
        Assert.False(Directory.Exists(agent.Pins), "something was left behind");
    }
}
