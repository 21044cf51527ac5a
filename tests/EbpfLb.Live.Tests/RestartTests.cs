// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using System.Text.Json;
using EbpfLb.Live.Tests.Support;
using Xunit.Abstractions;

namespace EbpfLb.Live.Tests;

/// <summary>The agent comes and goes; the datapath does not notice.</summary>
public sealed class RestartTests(LiveNode node, ITestOutputHelper output) : LiveTest(node)
{
    [PrivilegedFact]
    public async Task S128_no_connection_fails_while_the_agent_is_killed_and_started_again()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready, Node.P21.Ready);
        await using var held = await Node.P12.HoldAsync(service, DialFamily.V4, count: 20);
        await using var tcp = Node.P12.Stream("tcp", service, DialFamily.V4, intervalMs: 5);
        await using var udp = Node.Host.Stream("udp", service, DialFamily.V6, intervalMs: 5);
        await Task.WhenAll(tcp.FlowAsync(), udp.FlowAsync());
        await Node.Agent.KillAsync();
        await Task.Delay(300);
        await Task.WhenAll(tcp.FlowAsync(), udp.FlowAsync());
        await Node.Agent.StartAsync();
        await Task.WhenAll(tcp.FlowAsync(), udp.FlowAsync());

        foreach (var stream in new[] { tcp, udp })
        {
            var report = await stream.StopAsync();
            report.AssertAnsweredBy("p11", "p21");
            output.WriteLine($"{report.Succeeded} conversations, {report.Failed} failed");
        }

        Assert.Equal(20, (await held.CheckAsync()).Backends.Values.Sum());
    }

    [PrivilegedFact]
    public async Task A_restart_without_changes_keeps_every_id_and_writes_nothing()
    {
        var service = Node.NewService("sessionAffinity: ClientIP");
        await service.PublishAsync(Node.P11.Ready, Node.P21.Ready);
        var maglev = Node.NewService(algorithm: "maglev");
        await maglev.PublishAsync(Node.P11.Ready, Node.P21.Ready);
        var before = InstalledIds.Read(Node.Agent.Pins);
        var snapshot = Node.Agent.ReadSnapshot();

        await Node.Agent.KillAsync();
        await Node.Agent.StartAsync();
        Assert.Contains("; 0 map writes in ", await Node.Agent.WaitForLogAsync("First sync:"), StringComparison.Ordinal);
        Assert.Contains("0 links created, 0 updated, 8 found in place", Node.Agent.Log, StringComparison.Ordinal);
        before.AssertSame(InstalledIds.Read(Node.Agent.Pins));

        var after = Node.Agent.ReadSnapshot();
        Assert.Equal(snapshot.Backends, after.Backends);
        Assert.Equal(snapshot.Frontends, after.Frontends);
        Assert.Equal(
            snapshot.Services.Select(view => (view.Id, view.Name, view.ClusterSlots, view.LocalSlots)),
            after.Services.Select(view => (view.Id, view.Name, view.ClusterSlots, view.LocalSlots)));
    }

    [PrivilegedFact]
    public async Task S135_SIGTERM_ends_the_agent_with_0_and_leaves_the_datapath()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready);

        long start = Stopwatch.GetTimestamp();
        int exitCode = await Node.Agent.TerminateAsync();
        var elapsed = Stopwatch.GetElapsedTime(start);
        Assert.Equal(0, exitCode);
        Assert.InRange(elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5));
        output.WriteLine($"ended after {elapsed.TotalMilliseconds:F0} ms");

        await Node.FromEverywhereAsync(async (client, family) =>
        {
            (await client.TcpAsync(service, family, count: 5)).AssertAnsweredBy("p11");
            (await client.UdpAsync(service, family, count: 5)).AssertAnsweredBy("p11");
        });

        // The readers work without it.
        var status = await Node.Agent.CommandAsync("status");
        Assert.Equal(1, status.ExitCode);
        Assert.StartsWith(
            "DEGRADED: the agent is not running; the datapath serves what it last programmed, and follows no change until it is started again\n", status.StdOut,
            StringComparison.Ordinal);
        using (var json = JsonDocument.Parse((await Node.Agent.CommandAsync("status", "-o", "json")).StdOut))
            Assert.False(json.RootElement.GetProperty("agent").GetProperty("running").GetBoolean());
        using (var json = JsonDocument.Parse((await Node.Agent.CommandAsync("services", "-o", "json")).StdOut))
            Assert.Contains(json.RootElement.EnumerateArray(), view => view.GetProperty("name").GetString() == service.Name);

        await Node.Agent.StartAsync();
        Assert.Equal(0, (await Node.Agent.CommandAsync("status")).ExitCode);
    }

    [PrivilegedFact]
    public async Task S131_what_changed_while_the_agent_was_down_is_right_after_its_start()
    {
        LiveService moved = Node.NewService(), deleted = Node.NewService(), added = Node.NewService();
        await moved.PublishAsync(Node.P11.Ready);
        await deleted.PublishAsync(Node.P11.Ready);
        await Node.Agent.TerminateAsync();

        Node.Agent.Manifests.Write(moved.File, Manifests.File([moved.Manifest(), .. moved.Slices([Node.P21.Ready])]));
        Node.Agent.Manifests.Write(added.File, Manifests.File([added.Manifest(), .. added.Slices([Node.P13.Ready])]));
        Node.Agent.Manifests.Delete(deleted.File);
        (await Node.P12.TcpAsync(moved, DialFamily.V4)).AssertAnsweredBy("p11");
        (await Node.P12.TcpAsync(deleted, DialFamily.V4)).AssertAnsweredBy("p11");

        await Node.Agent.StartAsync();
        await Node.FromEverywhereAsync(async (client, family) =>
        {
            (await client.TcpAsync(moved, family, count: 5)).AssertAnsweredBy("p21");
            (await client.TcpAsync(added, family, count: 5)).AssertAnsweredBy("p13");
        });
        Assert.DoesNotContain(Node.Agent.ReadSnapshot().Services, view => deleted.Owns(view.Name));
        Assert.Equal(0, (await Node.P12.TcpAsync(deleted, DialFamily.V4)).Succeeded);
    }

    [PrivilegedFact]
    public async Task S133_an_agent_that_is_killed_in_the_midst_of_changes_leaves_maps_that_the_next_one_completes()
    {
        var services = Enumerable.Range(0, 20).Select(_ => Node.NewService(algorithm: "maglev")).ToArray();
        Client[] pods = [Node.P11, Node.P13, Node.P21, Node.P22];
        for (int round = 0; round < 4; round++)
        {
            var pod = pods[round];
            foreach (var service in services)
                Node.Agent.Manifests.Write(service.File, Manifests.File([service.Manifest(), .. service.Slices([pod.Ready])]));
            await Task.Delay(5 * round);
            await Node.Agent.KillAsync();
            await Node.Agent.StartAsync();

            Assert.Empty(Node.Agent.ReadSnapshot().Inconsistencies);
            foreach (var service in services)
                (await Node.P12.TcpAsync(service, DialFamily.V4)).AssertAnsweredBy(pod.Name);
        }
    }

    [PrivilegedFact]
    public async Task S143_a_second_agent_is_refused_and_told_who_holds_the_node()
    {
        var second = new LiveAgent(Node.Agent.BpfFs, Node.Agent.Cgroup, Node.Agent.Manifests);
        long start = Stopwatch.GetTimestamp();
        var result = await second.RunToEndAsync();
        output.WriteLine($"refused after {Stopwatch.GetElapsedTime(start).TotalMilliseconds:F0} ms");
        Assert.Equal(1, result.ExitCode);
        Assert.Equal(
            $"error: {Node.Agent.Pins} is locked by process {Node.Agent.Pid}: another ebpflb agent runs on this node. "
            + "Stop it first, or give this one its own --bpffs and --cgroup.\n",
            result.StdErr);

        // The first one did not notice.
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready);
        (await Node.P12.TcpAsync(service, DialFamily.V4)).AssertAnsweredBy("p11");
    }
}
