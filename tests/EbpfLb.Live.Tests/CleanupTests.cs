// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Maps;
using EbpfLb.Linux.Bpf;
using EbpfLb.Live.Tests.Support;

namespace EbpfLb.Live.Tests;

public sealed class CleanupTests
{
    [PrivilegedFact]
    public async Task S135_cleanup_leaves_nothing_of_ours_and_touches_nothing_else()
    {
        await using var node = await LiveNode.CreateAsync();
        var service = node.NewService("sessionAffinity: ClientIP");
        await service.PublishAsync(node.P11.Ready, node.P21.Ready);
        await using var foreign = await ForeignProgram.AttachAsync(node.Agent.BpfFs, node.Agent.Cgroup, multi: true);
        using var foreignMap = BpfMap.Create(new BpfMapSpec("foreign", BpfMapType.Hash, 4, 4, 1));
        foreignMap.Pin(Path.Combine(node.Agent.BpfFs, "map"));
        var ours = InstalledIds.Read(node.Agent.Pins);
        await using var held = await node.P12.HoldAsync(service, DialFamily.V4, count: 20);

        var refused = await node.Agent.CommandAsync("cleanup");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains($"is locked by process {node.Agent.Pid}", refused.StdErr, StringComparison.Ordinal);
        ours.AssertSame(InstalledIds.Read(node.Agent.Pins));

        Assert.Equal(0, await node.Agent.TerminateAsync());
        var cleanup = await node.Agent.CommandAsync("cleanup");
        Assert.Equal((0, $"Removed 8 links, 14 programs and {MapNames.All.Count} maps from {node.Agent.Pins}.\n"), (cleanup.ExitCode, cleanup.StdOut));
        await ours.AssertGoneAsync();
        Assert.False(Directory.Exists(node.Agent.Pins));
        Assert.Equal([foreign.Id], ForeignProgram.ProgramsOf(node.Agent.Cgroup));
        Assert.Contains(foreignMap.Info.Id, BpfObjects.MapIds());
        Assert.True(File.Exists(Path.Combine(node.Agent.BpfFs, "map")));

        // New connections find nobody; those that exist go on.
        Assert.Equal(0, (await node.P12.TcpAsync(service, DialFamily.V4)).Succeeded);
        Assert.Equal(20, (await held.CheckAsync()).Backends.Values.Sum());

        var again = await node.Agent.CommandAsync("cleanup");
        Assert.Equal((0, $"Nothing to do: no datapath is installed on {node.Agent.BpfFs}.\n"), (again.ExitCode, again.StdOut));
        Assert.True(foreign.IsAttached);

        // And back.
        await node.Agent.StartAsync();
        (await node.P12.TcpAsync(service, DialFamily.V4)).AssertNoneFailed();
    }
}
