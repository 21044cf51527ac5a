// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Inspection;
using EbpfLb.Live.Tests.Support;

namespace EbpfLb.Live.Tests;

/// <summary>Programs of others at the hooks of the cgroup.</summary>
public sealed class ForeignSocketProgramTests
{
    [PrivilegedFact]
    public async Task S168_Where_a_foreign_program_lets_nothing_join_the_agent_says_so_and_packets_are_served()
    {
        await using var node = await OuterNode.PrepareAsync("--pod-devices", "p1*");
        var foreign = await ForeignProgram.AttachAsync(node.Playground.BpfFs, node.Playground.Cgroup, multi: false);
        await using var detach = foreign;
        await node.Agent.StartAsync();
        string held = $"CgroupInet4Connect of cgroup {node.Playground.Cgroup} is held by program {foreign.Id} '{ForeignProgram.Name}'";
        await node.Agent.WaitForLogAsync(held);
        var service = node.NewService();
        await service.PublishAsync(node.P11.Ready, node.P21.Ready);

        // From outside, and from a pod by what its device carries; IPv6 by sockets as ever.
        foreach (bool v6 in OuterNode.Families)
        {
            (await node.Outside.TcpAsync(service.LoadBalancer(v6), count: 20)).AssertAnsweredBy("p11", "p21");
            (await node.P12.TcpAsync(service.ClusterIP(v6), count: 20)).AssertAnsweredBy("p11", "p21");
        }

        var status = node.Agent.ReadStatus();
        Assert.Equal(Health.Degraded, status.Verdict.Health);
        Assert.Equal(
            ["sock_connect4", "sock_getpeer4", "sock_recvmsg4", "sock_sendmsg4"],
            status.Hooks.Where(hook => hook.State == HookState.Missing).Select(hook => hook.Program).Order(StringComparer.Ordinal));
        Assert.Contains(status.Problems, problem => problem.Object == node.Playground.Cgroup && problem.Message.StartsWith(held, StringComparison.Ordinal));
        Assert.True(foreign.IsAttached);

        await foreign.DetachAsync();
        await Eventually.True(
            () => node.Agent.ReadStatus() is { Problems.Count: 0 } now && now.Hooks.All(hook => hook.State == HookState.Attached),
            "the hooks are taken once they are free");
        Assert.Empty(node.Agent.ReadStatus().Verdict.Reasons);
        (await node.Host.TcpAsync(service.ClusterIP(), count: 20)).AssertAnsweredBy("p11", "p21");
    }

    [PrivilegedFact]
    public async Task S169_A_foreign_program_that_others_may_join_runs_beside_ours_and_ours_is_there_once_after_restarts()
    {
        await using var node = await LiveNode.CreateAsync();
        await using var foreign = await ForeignProgram.AttachAsync(node.Playground.BpfFs, node.Agent.Cgroup, multi: true);
        var service = node.NewService();
        await service.PublishAsync(node.P11.Ready);
        uint ours = Assert.Single(node.Agent.ReadStatus().Hooks, hook => hook.Program == "sock_connect4").ProgramId;
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal([ours, foreign.Id], ForeignProgram.ProgramsOf(node.Agent.Cgroup).OrderByDescending(id => id == ours));
            (await node.P12.TcpAsync(service, DialFamily.V4, count: 5)).AssertAnsweredBy("p11");
            await node.Agent.KillAsync();
            await node.Agent.StartAsync();
        }

        Assert.Equal(0, await node.Agent.TerminateAsync());
        Assert.Equal(0, (await node.Agent.CommandAsync("cleanup")).ExitCode);
        Assert.Equal([foreign.Id], ForeignProgram.ProgramsOf(node.Agent.Cgroup));
    }
}
