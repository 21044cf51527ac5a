// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Maps;
using EbpfLb.Live.Tests.Support;
using Xunit.Abstractions;

namespace EbpfLb.Live.Tests;

/// <summary>What people do to the files of a manifest directory while the agent follows it.</summary>
public sealed class ManifestTests(LiveNode node, ITestOutputHelper output) : LiveTest(node)
{
    [PrivilegedFact]
    public async Task A_new_file_an_edit_a_rename_and_a_deletion_are_live()
    {
        var service = Node.NewService();
        var files = Node.Agent.Manifests;
        string Text(Client pod) => Manifests.File([service.Manifest(), .. service.Slices([pod.Ready])]);

        await Node.Agent.SyncAsync(() => File.WriteAllText(files[service.File], Text(Node.P11)));
        await AssertAnsweredByAsync("p11");

        // In place, as an editor without a temporary file does.
        await Node.Agent.SyncAsync(() => File.WriteAllText(files[service.File], Text(Node.P21)));
        await AssertAnsweredByAsync("p21");

        await Node.Agent.SyncAsync(() => files.Write(service.File, Text(Node.P13)));
        await AssertAnsweredByAsync("p13");

        // To another name nothing changes, to one that is no manifest's everything goes.
        File.Move(files[service.File], files[$"{service.Name}-moved.yml"]);
        await AssertAnsweredByAsync("p13");
        await Node.Agent.SyncAsync(() => File.Move(files[$"{service.Name}-moved.yml"], files[$"{service.Name}.txt"]));
        Assert.DoesNotContain(Node.Agent.ReadSnapshot().Services, view => service.Owns(view.Name));
        await Node.Agent.SyncAsync(() => File.Move(files[$"{service.Name}.txt"], files[service.File]));
        await AssertAnsweredByAsync("p13");

        await service.DeleteAsync();
        Assert.DoesNotContain(Node.Agent.ReadSnapshot().Services, view => service.Owns(view.Name));
        Assert.Equal(0, (await Node.P12.TcpAsync(service, DialFamily.V4)).Succeeded);

        async Task AssertAnsweredByAsync(string pod) =>
            await Node.FromEverywhereAsync(async (client, family) =>
                (await client.TcpAsync(service, family, count: 5)).AssertAnsweredBy(pod));
    }

    [PrivilegedFact]
    public async Task A_change_is_in_the_maps_soon()
    {
        const int Changes = 40;
        var bound = TimeSpan.FromSeconds(1);
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready);
        uint id = Node.Agent.ReadSnapshot().Services.First(view => service.Owns(view.Name)).Id;
        using var maps = KernelMaps.Open(Node.Agent.Pins, writable: false);

        List<TimeSpan> latencies = [];
        for (int i = 0; i < Changes; i++)
        {
            var before = Read(maps, id).Cluster;
            var pod = i % 2 == 0 ? Node.P21 : Node.P11;
            long start = Stopwatch.GetTimestamp();
            var synced = service.PublishAsync(pod.Ready);
            while (Read(maps, id).Cluster == before)
            {
                Assert.True(Stopwatch.GetElapsedTime(start) < bound, $"change {i} was not in the maps within {bound}");
                await Task.Delay(1);
            }

            latencies.Add(Stopwatch.GetElapsedTime(start));
            await synced;
        }

        latencies.Sort();
        output.WriteLine(
            $"from the write of a file to the changed map, {Changes} changes: median {latencies[Changes / 2].TotalMilliseconds:F1} ms, "
            + $"longest {latencies[^1].TotalMilliseconds:F1} ms");
        (await Node.P12.TcpAsync(service, DialFamily.V4, count: 20)).AssertAnsweredBy("p11");

        static ServiceValue Read(KernelMaps maps, uint id)
        {
            Assert.True(maps.Services.TryGet(id, out var value));
            return value;
        }
    }

    [PrivilegedFact]
    public async Task An_invalid_file_is_named_with_its_line_and_its_last_good_version_and_all_others_are_served()
    {
        LiveService good = Node.NewService(), bad = Node.NewService();
        await good.PublishAsync(Node.P11.Ready);
        await bad.PublishAsync(Node.P13.Ready);

        string log = await Node.Agent.LogOfAsync(
            () => Node.Agent.Manifests.Write(bad.File, "kind: Service\nmetadata: {name: [broken\n"), bad.File);
        string location = $"{bad.File}:3";
        Assert.Contains(" warn: ", log, StringComparison.Ordinal);
        Assert.Contains($"{location}: not valid YAML: ", log, StringComparison.Ordinal);
        Assert.EndsWith("The last good version stays in force, with 3 objects", log, StringComparison.Ordinal);
        await Eventually.True(
            () => Node.Agent.ReadStatus().Problems.Any(problem => problem.Object == location), "the status names the file");
        var status = await Node.Agent.CommandAsync("status");
        Assert.Contains($"  {location}: not valid YAML: ", status.StdOut, StringComparison.Ordinal);
        Assert.Equal(1, status.ExitCode);
        await AssertServedAsync();

        // A field, not the syntax.
        log = await Node.Agent.LogOfAsync(
            () => Node.Agent.Manifests.Write(bad.File, bad.Manifest(ports: [new ServicePort("tcp", "TCP", 99999)])), bad.File);
        Assert.Contains(
            $"Service {bad.FullName}: spec.ports[0].port: 99999 is not a port; expected 1 to 65535", log, StringComparison.Ordinal);
        await AssertServedAsync();

        await bad.PublishAsync(Node.P21.Ready);
        (await Node.P12.TcpAsync(bad, DialFamily.V4)).AssertAnsweredBy("p21");
        await Eventually.True(() => Node.Agent.ReadStatus().Problems.Count == 0, "the status has no problem left");
        Assert.Equal(0, (await Node.Agent.CommandAsync("status")).ExitCode);

        async Task AssertServedAsync()
        {
            (await Node.P12.TcpAsync(good, DialFamily.V4)).AssertAnsweredBy("p11");
            (await Node.P12.TcpAsync(bad, DialFamily.V4)).AssertAnsweredBy("p13");
        }
    }

    [PrivilegedFact]
    public async Task Of_two_services_with_one_address_the_older_serves_and_the_other_takes_over_when_it_goes()
    {
        LiveService older = Node.NewService(), younger = Node.NewService();
        string Claim(LiveService service, string created, Client pod) => Manifests.File(
        [
            Manifests.Service(service.Name, [older.V4], LiveService.Ports, created: created),
            service.SliceV4("v4", LiveService.TargetPorts, pod.Ready),
        ]);

        await Node.Agent.SyncAsync(() => Node.Agent.Manifests.Write(younger.File, Claim(younger, "2026-02-02T00:00:00Z", Node.P21)));
        (await Node.P12.TcpAsync(older, DialFamily.V4)).AssertAnsweredBy("p21");

        await Node.Agent.SyncAsync(() => Node.Agent.Manifests.Write(older.File, Claim(older, "2026-02-01T00:00:00Z", Node.P11)));
        foreach (string port in new[] { "tcp", "udp" })
        {
            Assert.Contains(
                $"{younger.FullName}:{port} does not get frontend {older.V4}:{LiveService.Port}/{port.ToUpperInvariant()}: "
                + $"{older.FullName}:{port} has it, being older or, of the same age, first by name. It takes over when that one goes.",
                Node.Agent.Log, StringComparison.Ordinal);
        }

        await Eventually.True(
            () => Node.Agent.ReadStatus().Problems.Any(problem => problem.Object == younger.FullName), "the status names the loser");
        (await Node.P12.TcpAsync(older, DialFamily.V4, count: 20)).AssertAnsweredBy("p11");

        await older.DeleteAsync();
        (await Node.P12.TcpAsync(older, DialFamily.V4, count: 20)).AssertAnsweredBy("p21");
        Assert.Empty(Node.Agent.ReadStatus().Problems);
        await younger.DeleteAsync();
    }
}
