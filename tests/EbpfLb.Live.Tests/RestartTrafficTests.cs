// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Live.Tests.Support;
using Xunit.Abstractions;

namespace EbpfLb.Live.Tests;

/// <summary>Packets from outside, through XDP, while the agent ends, starts and is replaced.</summary>
public sealed class RestartTrafficTests(XdpNode node, ITestOutputHelper output) : OuterTest(node), IClassFixture<XdpNode>
{
    private const int CountedPort = 7001;
    private const int Rate = 50_000;

    [PrivilegedFact]
    public async Task S128_no_conversation_fails_and_none_changes_its_backend_while_the_agent_is_down_and_starts()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready, Node.P21.Ready);
        await using var load = await SteadyLoad.StartAsync(Node.Outside, service.AtNodePort());
        await Node.Agent.KillAsync();
        await load.FlowAsync();
        await Task.Delay(Scale.Of("EBPFLB_SOAK_MS", 1000));
        await load.FlowAsync();
        await Node.Agent.StartAsync();
        await load.StopAsync("p11", "p21");
        output.WriteLine($"{load.Conversations} conversations, 0 failed");
    }

    [PrivilegedFact]
    public async Task S129_no_datagram_of_50000_a_second_is_lost_while_the_agent_is_killed_started_and_upgraded()
    {
        var service = Node.NewService() with { TargetPort = CountedPort };
        await service.PublishAsync(Node.P11.Ready);
        ulong flows = Node.Agent.Count(Hook.Xdp, Reason.NewFlow);
        int count = Scale.Of("EBPFLB_SOAK_DATAGRAMS", 250_000);
        await using var load = await NumberedLoad.StartAsync(Node.Outside, service.AtNodePort(), Node.P11, CountedPort, Rate, count);
        int rounds = 0;
        while (!load.HasEnded || rounds == 0)
        {
            await Node.Agent.KillAsync();
            if (rounds++ % 2 == 0)
                Node.Agent.PretendOtherBuild();
            await Task.Delay(100);
            await Node.Agent.StartAsync();
        }

        var report = await load.EndAsync(TimeSpan.FromMinutes(1));
        output.WriteLine($"{report}, {rounds} starts");
        Assert.Equal((count, 0L, 0L), (report.Sent, report.Lost, report.Twice));
        Assert.True(Node.Agent.Count(Hook.Xdp, Reason.NewFlow) > flows, "XDP began no flow");
    }

    [PrivilegedFact]
    public async Task S138_a_new_build_takes_over_every_link_by_an_update_under_load()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready, Node.P21.Ready);
        await using var load = await SteadyLoad.StartAsync(Node.Outside, service.AtNodePort());
        await using var inside = Node.P12.Stream("tcp", service.ClusterIP(), intervalMs: 5);
        var before = InstalledLinks.Read(Node.Agent.Pins);
        Assert.True(before.ByPin.Count > 8, "there is none on a device");
        await Node.Agent.KillAsync();
        Node.Agent.PretendOtherBuild();
        await Node.Agent.StartAsync();
        Assert.Contains("0 links created, 8 updated, 0 found in place", Node.Agent.Log, StringComparison.Ordinal);
        Assert.Contains("0 map writes", await Node.Agent.WaitForLogAsync("First sync:"), StringComparison.Ordinal);
        before.AssertReplacedIn(InstalledLinks.Read(Node.Agent.Pins));
        await load.StopAsync("p11", "p21");
        (await inside.StopAsync()).AssertAnsweredBy("p11", "p21");
        output.WriteLine($"{load.Conversations} conversations, 0 failed");
    }

    [PrivilegedFact]
    public async Task S143_a_lock_that_a_killed_agent_held_is_in_nobodys_way()
    {
        await Node.Agent.KillAsync();
        await Node.Agent.StartAsync();
        Assert.Equal(0, (await Node.Agent.CommandAsync("status")).ExitCode);
    }

    [PrivilegedFact]
    public async Task S144_connections_survive_other_settings_at_the_next_start()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready, Node.P21.Ready);
        await using var held = await Node.Outside.HoldAsync(service.AtNodePort(), 20);
        await using var inside = await Node.P12.HoldAsync(service.ClusterIP(), 20);
        string[][] settings =
        [
            ["--default-algorithm", "random"],
            ["--default-algorithm", "maglev", "--maglev-table-size", "1021"],
            ["--devices", "eth*"],
            ["--nodeport-addresses", "10.10.0.0/24"],
            ["--nodeport-addresses", "127.0.0.0/8"],
            ["--xdp", "off"],
        ];
        await Node.Agent.KillAsync();
        foreach (string[] options in settings)
        {
            await using var agent = new LiveAgent(Node.Agent.BpfFs, Node.Agent.Cgroup, Node.Manifests, options)
            {
                NetworkNamespace = Node.Host.NetworkNamespace,
            };
            await agent.StartAsync();
            (await held.CheckAsync()).AssertHolds("p11", "p21");
            (await inside.CheckAsync()).AssertHolds("p11", "p21");
        }

        await Node.Agent.StartAsync();
        (await held.CheckAsync()).AssertHolds("p11", "p21");
    }
}
