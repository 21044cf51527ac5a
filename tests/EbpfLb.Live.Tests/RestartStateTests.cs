// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using EbpfLb.Live.Tests.Support;
using Xunit.Abstractions;

namespace EbpfLb.Live.Tests;

/// <summary>Agents that end in the middle of things, and what they and the next ones make of it.</summary>
public sealed class RestartStateTests(LiveNode node, ITestOutputHelper output) : LiveTest(node)
{
    [PrivilegedFact]
    public async Task S133_after_each_kill_amid_changes_the_maps_are_what_the_source_says()
    {
        const int Services = 12;
        Client[] pods = [Node.P11, Node.P13, Node.P21, Node.P22];
        var services = Enumerable.Range(0, Services).Select(i => Node.NewService(algorithm: i % 2 == 0 ? "maglev" : "")).ToArray();
        var model = new Dictionary<LiveService, Client[]>();
        var random = new Random(133);
        int rounds = Scale.Of("EBPFLB_SOAK_ROUNDS", 6);
        using var stop = new CancellationTokenSource();
        var sampling = SampleAsync(stop.Token);
        for (int round = 0; round < rounds; round++)
        {
            foreach (var service in random.GetItems(services, 5))
                Change(service);
            await Task.Delay(random.Next(Scale.Of("EBPFLB_SOAK_KILL_MS", 200)));
            await Node.Agent.KillAsync();
            foreach (var service in random.GetItems(services, 2))
                Change(service);
            await Node.Agent.StartAsync();
            AssertAsModel(round);
        }

        await stop.CancelAsync();
        output.WriteLine($"{rounds} rounds, {await sampling} samples of the maps agreed with themselves");
        Assert.NotEqual(0, await sampling);
        // A pod that none of the rounds used: each of these is a change.
        foreach (var service in services)
            await service.PublishAsync(Node.P12.Ready);

        void Change(LiveService service)
        {
            var backends = pods.Where(_ => random.Next(2) == 0).ToArray();
            if (random.Next(5) == 0)
            {
                model.Remove(service);
                Node.Agent.Manifests.Delete(service.File);
                return;
            }

            model[service] = backends;
            string text = Manifests.File([service.Manifest(), .. service.Slices([.. backends.Select(pod => pod.Ready)])]);
            Node.Agent.Manifests.Write(service.File, text);
        }

        void AssertAsModel(int round)
        {
            var maps = Node.Agent.ReadSnapshot();
            Assert.Empty(maps.Inconsistencies);
            foreach (var service in services)
            {
                string[] wanted = model.TryGetValue(service, out var backends)
                    ? [.. backends.SelectMany(pod => new[] { pod.V4, pod.V6 }).SelectMany(address => new[] { address, address })
                        .Order(StringComparer.Ordinal)]
                    : [];
                var found = maps.Services.Where(view => service.Owns(view.Name)).SelectMany(view => view.Cluster)
                    .Select(backend => backend.Address.ToString()).Order(StringComparer.Ordinal);
                Assert.True(wanted.SequenceEqual(found), $"round {round}, {service.Name}: {string.Join(' ', found)}, not {string.Join(' ', wanted)}");
                Assert.Equal(model.ContainsKey(service), maps.Services.Any(view => service.Owns(view.Name)));
            }
        }

        // A map is read in several calls, and written meanwhile: what does not agree must do so a moment later.
        async Task<int> SampleAsync(CancellationToken stopping)
        {
            int samples = 0;
            while (!stopping.IsCancellationRequested)
            {
                await Eventually.True(() => Node.Agent.ReadSnapshot().Inconsistencies.Count == 0, "the maps agree with themselves");
                samples++;
                await Task.Delay(50, CancellationToken.None);
            }

            return samples;
        }
    }

    [PrivilegedFact]
    public async Task S137_an_agent_without_memory_leaves_what_it_had_programmed_and_the_next_one_completes_it()
    {
        var served = Node.NewService();
        await served.PublishAsync(Node.P11.Ready, Node.P21.Ready);
        await using var stream = Node.P12.Stream("tcp", served, DialFamily.V4, intervalMs: 5);
        await stream.FlowAsync();
        await Node.Agent.KillAsync();
        const int Services = 10_000;
        string many = "many.yaml";
        Node.Agent.Manifests.Write(many, Manifests.File(Enumerable.Range(0, Services).SelectMany(ManifestsOf)));

        using (var memory = new MemoryCgroup(60 << 20))
        {
            await using var starved = new LiveAgent(Node.Agent.BpfFs, Node.Agent.Cgroup, Node.Agent.Manifests)
            {
                Under = ["sh", "-c", $"echo $$ >{memory.ProcessFile}; exec \"$@\"", "sh"],
            };
            var killed = await starved.RunToEndAsync();
            Assert.True(killed.ExitCode is 137 or 134 or 1, $"it ended with {killed.ExitCode}: {killed.StdErr}");
            output.WriteLine($"the agent ended with {killed.ExitCode}; killed for memory: {memory.Kills}");
            Assert.NotEqual(0, memory.Kills);
        }

        await stream.FlowAsync();
        Assert.Empty(Node.Agent.ReadSnapshot().Inconsistencies);
        await Node.Agent.StartAsync();
        Assert.True(Node.Agent.ReadSnapshot().Services.Count >= Services, "not all are programmed");
        (await stream.StopAsync()).AssertAnsweredBy("p11", "p21");
        await Node.Agent.SyncAsync(() => Node.Agent.Manifests.Delete(many));

        static IEnumerable<string> ManifestsOf(int number)
        {
            string name = $"many{number}";
            return
            [
                Manifests.Service(name, [$"10.97.{number / 250}.{(number % 250) + 1}"], [new("tcp", "TCP", 80)], "", ""),
                Manifests.Slice($"{name}-1", name, v6: false, [new("tcp", "TCP", 8080)], []),
            ];
        }
    }

    [PrivilegedFact]
    public async Task S136_an_agent_that_stood_still_during_changes_catches_up_within_seconds()
    {
        LiveService unchanged = Node.NewService(), changed = Node.NewService();
        await unchanged.PublishAsync(Node.P11.Ready, Node.P21.Ready);
        await changed.PublishAsync(Node.P11.Ready);
        await using var stream = Node.P12.Stream("tcp", unchanged, DialFamily.V4, intervalMs: 5);
        await using var held = await Node.P12.HoldAsync(unchanged, DialFamily.V4, count: 20);
        await stream.FlowAsync();
        await Node.Agent.SignalAsync("STOP");
        var stoppedAt = Stopwatch.GetTimestamp();
        try
        {
            var still = TimeSpan.FromMilliseconds(Scale.Of("EBPFLB_SOAK_STOP_MS", 2000));
            for (int i = 0; Stopwatch.GetElapsedTime(stoppedAt) < still; i++)
            {
                var pod = i % 2 == 0 ? Node.P13 : Node.P21;
                Node.Agent.Manifests.Write(changed.File, Manifests.File([changed.Manifest(), .. changed.Slices([pod.Ready])]));
                await Task.Delay(20);
            }

            Node.Agent.Manifests.Write(changed.File, Manifests.File([changed.Manifest(), .. changed.Slices([Node.P22.Ready])]));
            (await Node.P12.TcpAsync(changed, DialFamily.V4)).AssertAnsweredBy("p11");
        }
        finally
        {
            await Node.Agent.SignalAsync("CONT");
        }

        var continuedAt = Stopwatch.GetTimestamp();
        await Eventually.True(
            () => Node.Agent.ReadSnapshot().Services.Where(view => changed.Owns(view.Name))
                .All(view => view.Cluster.All(backend => backend.Address.ToString() == Node.P22.V4 || backend.Address.ToString() == Node.P22.V6)),
            "what was last said is programmed");
        var elapsed = Stopwatch.GetElapsedTime(continuedAt);
        Assert.InRange(elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5));
        output.WriteLine($"caught up after {elapsed.TotalMilliseconds:F0} ms");
        (await Node.P12.TcpAsync(changed, DialFamily.V4, count: 5)).AssertAnsweredBy("p22");
        (await stream.StopAsync()).AssertAnsweredBy("p11", "p21");
        Assert.Equal(20, (await held.CheckAsync()).Backends.Values.Sum());
    }
}
