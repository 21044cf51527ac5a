// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Inspection;
using EbpfLb.Datapath.Maps;
using EbpfLb.Linux.Bpf;
using EbpfLb.Live.Tests.Support;

namespace EbpfLb.Live.Tests;

/// <summary>An operator takes off what the agent put in place: it comes back within half a minute, with a warning, and the service with it.</summary>
public sealed class RemovalTests
{
    private static readonly TimeSpan Promise = TimeSpan.FromSeconds(30);

    [PrivilegedFact]
    public async Task S170_Programs_of_devices_come_back_whatever_took_them_off()
    {
        await using var node = await OuterNode.CreateAsync();
        var service = node.NewService();
        await service.PublishAsync(node.P11.Ready, node.P21.Ready);
        await AssertServedAsync("at first");

        // What bpftool and tc can do to links of others: nothing.
        string nsenter = $"--net={node.Host.NetworkNamespace}";
        Assert.NotEqual(0, (await Programs.RunAsync("nsenter", nsenter, "bpftool", "net", "detach", "xdp", "dev", "eth0")).ExitCode);
        Assert.NotEqual(0, (await Programs.RunAsync("nsenter", nsenter, "bpftool", "net", "detach", "tcx_ingress", "dev", "eth0")).ExitCode);
        await Programs.RunAsync("nsenter", nsenter, "tc", "qdisc", "add", "dev", "eth0", "clsact");
        await Programs.OutputOfAsync("nsenter", nsenter, "tc", "qdisc", "del", "dev", "eth0", "clsact");
        await AssertServedAsync("tc qdisc del");

        string[] hooks = [.. Directory.GetFiles(Path.Combine(node.Agent.Pins, "links")).Where(IsOfDevice)];
        Assert.Contains(hooks, pin => Path.GetFileName(pin).StartsWith("tcx_in_", StringComparison.Ordinal));
        foreach (string pin in hooks)
        {
            int from = node.Agent.LineCount;
            await Programs.OutputOfAsync("bpftool", "link", "detach", "pinned", pin);
            await node.Agent.WaitForLogAsync("eth0: somebody took our program off", from).WaitAsync(Promise);
            await AssertServedAsync($"{pin} was detached");

            from = node.Agent.LineCount;
            File.Delete(pin);
            await node.Agent.WaitForLogAsync("eth0: somebody took our program off", from).WaitAsync(Promise);
            await AssertServedAsync($"{pin} was removed");
        }

        await Eventually.True(() => node.Agent.ReadStatus().Verdict.Health == Health.Ok, "the status is OK again");

        static bool IsOfDevice(string pin) => Path.GetFileName(pin) is ['x', 'd', 'p', '_', ..] or ['t', 'c', 'x', '_', ..];

        async Task AssertServedAsync(string what)
        {
            foreach (bool v6 in OuterNode.Families)
            {
                var report = await node.Outside.TcpAsync(service.LoadBalancer(v6), count: 10);
                Assert.True(report.Failed == 0, what);
            }
        }
    }

    [PrivilegedFact]
    public async Task S170_Programs_of_sockets_and_pins_come_back_whatever_took_them_off()
    {
        await using var node = await LiveNode.CreateAsync();
        var service = node.NewService();
        await service.PublishAsync(node.P11.Ready);
        // What bpftool can do to a program that a link holds: nothing.
        uint program = Assert.Single(node.Agent.ReadStatus().Hooks, hook => hook.Program == "sock_connect4").ProgramId;
        Assert.NotEqual(0, (await Programs.RunAsync("bpftool", "cgroup", "detach", node.Agent.Cgroup, "connect4", "id", $"{program}")).ExitCode);
        await AssertServedAsync();

        string link = Path.Combine(node.Agent.Pins, "links", "sock_connect4");
        await ComesBackAsync("links: sock_connect4 is missing", () => Programs.OutputOfAsync("bpftool", "link", "detach", "pinned", link));
        await ComesBackAsync("pins: links/sock_connect4 is missing", () => Remove(link));
        uint before = IdOf(MapNames.Conntrack);
        await ComesBackAsync("pins: conntrack_v1 is missing", () => Remove(Path.Combine(node.Agent.Pins, MapNames.Conntrack)));
        Assert.Equal(before, IdOf(MapNames.Conntrack));
        string pinned = Directory.GetFiles(Path.Combine(node.Agent.Pins, "programs"), "tc_ingress", SearchOption.AllDirectories).Single();
        await ComesBackAsync("tc_ingress is missing", () => Remove(pinned));
        await ComesBackAsync("pins: the directory is missing", () =>
        {
            Directory.Delete(node.Agent.Pins, recursive: true);
            return Task.CompletedTask;
        });
        await Eventually.True(() => node.Agent.ReadStatus().Verdict.Health == Health.Ok, "the status is OK again");
        Assert.True(node.Agent.ReadStatus().Audit!.PutBack >= 5);

        // Nothing is there twice, and a restart finds all in place.
        await node.Agent.KillAsync();
        await node.Agent.StartAsync();
        Assert.Contains("0 links created, 0 updated, 8 found in place", node.Agent.Log, StringComparison.Ordinal);
        Assert.Single(ForeignProgram.ProgramsOf(node.Agent.Cgroup));

        async Task ComesBackAsync(string what, Func<Task> remove)
        {
            int from = node.Agent.LineCount;
            await remove();
            string line = await node.Agent.WaitForLogAsync(what, from).WaitAsync(Promise);
            Assert.Contains("warn", line, StringComparison.Ordinal);
            await AssertServedAsync();
        }

        async Task AssertServedAsync() => (await node.P12.TcpAsync(service, DialFamily.V4, count: 5)).AssertAnsweredBy("p11");

        uint IdOf(string map)
        {
            using var opened = BpfMap.OpenPinned(Path.Combine(node.Agent.Pins, map));
            return opened.Info.Id;
        }

        static Task Remove(string path)
        {
            File.Delete(path);
            return Task.CompletedTask;
        }
    }
}
