// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json;
using EbpfLb.Datapath.Maps;
using EbpfLb.Linux.Bpf;
using EbpfLb.Live.Tests.Support;

namespace EbpfLb.Live.Tests;

/// <summary>Somebody writes to the maps of a running agent; an operator asks what differs, and to mend it.</summary>
public sealed class AuditTests(LiveNode node) : LiveTest(node)
{
    [PrivilegedFact]
    public async Task What_bpftool_deleted_and_changed_is_found_named_and_repaired_by_the_agent_at_a_word()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready);
        Assert.Equal((0, "Nothing differs.\n"), Short(await AuditAsync()));

        var backend = Assert.Single(Node.Agent.ReadSnapshot().Backends, view => service.Owns(view.ServiceName) && view is { Address.IsIPv4: true, Protocol: LoadBalancing.Model.Protocol.Tcp });
        await BpftoolAsync(MapNames.Backends, ["delete", "key", .. Bytes(backend.Id)]);
        Assert.Equal(0, (await Node.P12.TcpAsync(service, DialFamily.V4)).Succeeded);
        var told = await AuditAsync("-o", "json");
        Assert.Equal(1, told.ExitCode);
        using (var json = JsonDocument.Parse(told.StdOut))
        {
            Assert.True(json.RootElement.GetProperty("agentRunning").GetBoolean());
            Assert.Contains(
                json.RootElement.GetProperty("divergences").EnumerateArray(),
                found => found.GetProperty("where").GetString() == MapNames.Backends && found.GetProperty("kind").GetString() == "missing"
                    && service.Owns(found.GetProperty("service").GetString()!.Split(' ')[0]));
        }

        // It was only told.
        Assert.Equal(1, (await AuditAsync()).ExitCode);
        int from = Node.Agent.LineCount;
        var mended = await AuditAsync("--repair");
        Assert.Equal(0, mended.ExitCode);
        Assert.StartsWith("Repaired by the agent:\n", mended.StdOut, StringComparison.Ordinal);
        string warning = await Node.Agent.WaitForLogAsync("Somebody changed the maps: backends_v1: ", from);
        Assert.Contains(service.Name, warning, StringComparison.Ordinal);
        (await Node.P12.TcpAsync(service, DialFamily.V4)).AssertAnsweredBy("p11");
        using (var status = JsonDocument.Parse((await Node.Agent.CommandAsync("status", "-o", "json")).StdOut))
        {
            var audit = status.RootElement.GetProperty("audit");
            Assert.True(audit.GetProperty("repaired").GetInt32() >= 1);
            Assert.Equal(0, audit.GetProperty("left").GetInt32());
        }

        Assert.Contains("repaired, ", (await Node.Agent.CommandAsync("status")).StdOut, StringComparison.Ordinal);
    }

    [PrivilegedFact]
    public async Task Changes_on_their_way_are_no_difference()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready);
        using var stop = new CancellationTokenSource();
        var churn = Task.Run(async () =>
        {
            for (bool first = true; !stop.IsCancellationRequested; first = !first)
            {
                await service.PublishAsync(first ? Node.P13.Ready : Node.P11.Ready);
                await Task.Delay(20);
            }
        });
        for (int i = 0; i < 3; i++)
            Assert.Equal((0, "Nothing differs.\n"), Short(await AuditAsync()));
        await stop.CancelAsync();
        await churn;
    }

    [PrivilegedFact]
    public async Task Without_its_agent_the_command_repairs_the_maps_and_the_next_agent_finds_them_right()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready);
        Assert.Equal(0, await Node.Agent.TerminateAsync());
        var before = InstalledIds.Read(Node.Agent.Pins);
        foreach (var frontend in Node.Agent.ReadSnapshot().Frontends.Where(view => service.Owns(view.ServiceName)))
        {
            using var map = BpfMap.OpenPinned(Path.Combine(Node.Agent.Pins, MapNames.Frontends));
            byte[] key = [.. Bytes(frontend.Address.Address), (byte)(frontend.Address.Port >> 8), (byte)frontend.Address.Port, (byte)frontend.Address.Protocol, 0];
            map.Delete(key);
        }

        Assert.NotEqual(0, (await Node.P12.TcpAsync(service, DialFamily.V4)).Failed);
        Assert.Equal(1, (await AuditAsync()).ExitCode);
        var mended = await AuditAsync("--repair");
        Assert.Equal((0, ""), (mended.ExitCode, mended.StdErr));
        Assert.StartsWith("Repaired by this command:\n", mended.StdOut, StringComparison.Ordinal);
        (await Node.P12.TcpAsync(service, DialFamily.V4)).AssertAnsweredBy("p11");
        before.AssertSame(InstalledIds.Read(Node.Agent.Pins));

        await Node.Agent.StartAsync();
        Assert.Contains("; 0 map writes in ", await Node.Agent.WaitForLogAsync("First sync:"), StringComparison.Ordinal);
    }

    private static (int, string) Short(Linux.Processes.ProcessResult result) => (result.ExitCode, result.StdOut);

    private Task<Linux.Processes.ProcessResult> AuditAsync(params string[] options) => Node.Agent.CommandAsync(
        ["audit", "--manifests", Node.Agent.Manifests.Path, "--node-name", "n1", "--devices", "none", .. options]);

    private Task<string> BpftoolAsync(string map, params string[] words) =>
        Programs.OutputOfAsync("bpftool", ["map", words[0], "pinned", Path.Combine(Node.Agent.Pins, map), .. words[1..]]);

    private static string[] Bytes(uint id) => [.. BitConverter.GetBytes(id).Select(value => $"{value}")];

    private static byte[] Bytes(LoadBalancing.Model.Address address)
    {
        var bytes = new byte[16];
        address.CopyTo(bytes);
        return bytes;
    }
}
