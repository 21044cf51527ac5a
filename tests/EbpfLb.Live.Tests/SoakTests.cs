// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using System.Globalization;
using EbpfLb.FakeApi.Faults;
using EbpfLb.FakeApi.Store;
using EbpfLb.Live.Tests.Support;
using Xunit.Abstractions;

namespace EbpfLb.Live.Tests;

/// <summary>
/// Services change all the time, the agent is killed, ended, stopped and started, its server goes and misbehaves. One round of it here;
/// EBPFLB_SOAK_SECONDS makes it last (make soak), and then nothing may have grown.
/// </summary>
public sealed class SoakTests(ApiNode node, ITestOutputHelper output) : ApiTest(node), IClassFixture<ApiNode>
{
    private const int ChangingServices = 40;
    private const int Held = 20;
    private const double GrowthMB = 20;
    private const int GrowthFiles = 8;

    private static readonly TimeSpan Length = TimeSpan.FromSeconds(int.Parse(
        Environment.GetEnvironmentVariable("EBPFLB_SOAK_SECONDS") ?? "0", CultureInfo.InvariantCulture));

    private static readonly string? LogFile = Environment.GetEnvironmentVariable("EBPFLB_SOAK_LOG");

    // Which change, and what happens next: the same in each run.
    private readonly Random _random = new(190);

    [PrivilegedFact]
    public async Task S190_Nothing_fails_and_nothing_grows_while_services_change_and_the_agent_comes_and_goes()
    {
        ApiService inside = Node.NewApiService(), outside = Node.NewApiService();
        inside.Put(Node.P11, Node.P21);
        outside.PutWithNodePort(Node.P11, Node.P21);
        await outside.ServedByAsync(Node.P11, Node.P21);
        var changing = Enumerable.Range(0, ChangingServices).Select(_ => new Changing(Node.NewApiService())).ToArray();
        var footprints = new List<Footprint>();
        long start = Stopwatch.GetTimestamp();
        int conversations = 0;
        do
        {
            conversations += await RoundAsync(inside, outside, changing);
            footprints.Add(Footprint.Read(Node.Agent));
            Say($"{Stopwatch.GetElapsedTime(start):hh\\:mm\\:ss} round {footprints.Count}: {conversations} conversations, 0 failed; {footprints[^1]}");
        }
        while (Stopwatch.GetElapsedTime(start) < Length);

        AssertFlat(footprints);
    }

    private async Task<int> RoundAsync(ApiService inside, ApiService outside, Changing[] changing)
    {
        await using var streams = new StreamSet(
        [
            Node.P12.Stream("tcp", inside.ClusterIP, intervalMs: 5), Node.Host.Stream("tcp", inside.ClusterIP, intervalMs: 5),
            Node.Outside.Stream("tcp", outside.AtNodePort, intervalMs: 5), Node.Distant.Stream("tcp", outside.AtNodePort, intervalMs: 5),
        ]);
        await using var heldInside = await Node.P12.HoldAsync(inside.ClusterIP, Held);
        await using var heldOutside = await Node.Outside.HoldAsync(outside.AtNodePort, Held);
        await streams.FlowAsync();

        using var enough = new CancellationTokenSource();
        var churn = ChurnAsync(changing, enough.Token);
        Func<Task>[] disturbances = [KillAsync, EndAsync, FreezeAsync, LoseServerAsync, LoseWatchesAsync, LoseHistoryAsync];
        _random.Shuffle(disturbances);
        foreach (var disturb in disturbances)
        {
            await disturb();
            await streams.FlowAsync();
        }

        await enough.CancelAsync();
        await churn;
        await Node.SettleAsync();
        int conversations = 0;
        foreach (var report in await streams.StopAsync())
        {
            report.AssertAnsweredBy("p11", "p21");
            conversations += report.Succeeded;
        }

        Assert.Equal(Held, (await heldInside.CheckAsync()).Backends.Values.Sum());
        Assert.Equal(Held, (await heldOutside.CheckAsync()).Backends.Values.Sum());
        AssertExactlyWhatIsWanted(inside, outside, changing);
        return conversations;
    }

    private void AssertExactlyWhatIsWanted(ApiService inside, ApiService outside, Changing[] changing)
    {
        var maps = Node.Agent.ReadSnapshot();
        Assert.Empty(maps.Inconsistencies);
        var wanted = changing.Where(service => service.Exists).SelectMany(service => service.Pods.Select(pod => (service.Service.FullName, pod.V4)))
            .Concat([(inside.FullName, Node.P11.V4), (inside.FullName, Node.P21.V4)])
            .Concat([(outside.FullName, Node.P11.V4), (outside.FullName, Node.P21.V4)]);
        Assert.Equal(
            wanted.Order(), maps.Backends.Select(backend => (backend.ServiceName.TrimEnd(':'), backend.Address.ToString())).Order());
    }

    private async Task ChurnAsync(Changing[] changing, CancellationToken enough)
    {
        Client[] pods = [Node.P11, Node.P12, Node.P13, Node.P21, Node.P22];
        var random = new Random(_random.Next());
        while (!enough.IsCancellationRequested)
        {
            var service = changing[random.Next(changing.Length)];
            if (service.Exists && random.Next(4) == 0)
                service.Delete();
            else
                service.Put([.. pods.Where(_ => random.Next(2) == 0)]);
            await Task.Delay(20, enough).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task KillAsync()
    {
        await Node.Agent.KillAsync();
        await Task.Delay(_random.Next(500));
        await Node.Agent.StartAsync();
    }

    private async Task EndAsync()
    {
        Assert.Equal(0, await Node.Agent.TerminateAsync());
        await Node.Agent.StartAsync();
    }

    private async Task FreezeAsync()
    {
        await SignalAsync("-STOP");
        await Task.Delay(1000);
        await SignalAsync("-CONT");
    }

    private async Task LoseServerAsync()
    {
        await Node.Server.StopAsync();
        await Task.Delay(_random.Next(1000));
        await Node.Server.ResumeAsync();
        await Node.SettleAsync();
    }

    private Task LoseWatchesAsync()
    {
        Node.Server.Watches.Finish(ResourceType.EndpointSlices, WatchEnding.Reset);
        Node.Server.Watches.Finish(ResourceType.Services, WatchEnding.Reset);
        return Node.SettleAsync();
    }

    private Task LoseHistoryAsync()
    {
        Node.Store.Compact();
        Node.Server.Watches.Finish(ResourceType.EndpointSlices, WatchEnding.Reset);
        return Node.SettleAsync();
    }

    private Task<string> SignalAsync(string signal) => Programs.OutputOfAsync("/bin/kill", [signal, $"{Node.Agent.Pid}"]);

    // The first round fills pools and caches; from then on half of a run is compared with the other.
    private static void AssertFlat(List<Footprint> footprints)
    {
        Assert.Single(footprints.Select(footprint => footprint.Pins).Distinct());
        if (footprints.Count < 5)
            return;

        var settled = footprints.Skip(1).ToArray();
        var (early, late) = (settled[..(settled.Length / 2)], settled[(settled.Length / 2)..]);
        Assert.InRange(late.Max(print => print.Files), 0, early.Max(print => print.Files) + GrowthFiles);
        Assert.InRange(late.Max(print => print.BpfFiles), 0, early.Max(print => print.BpfFiles));
        Assert.InRange(late.Average(print => print.ResidentMB), 0, early.Average(print => print.ResidentMB) + GrowthMB);
    }

    private void Say(string line)
    {
        output.WriteLine(line);
        if (LogFile is not null)
            File.AppendAllLines(LogFile, [line]);
    }

    private sealed class Changing(ApiService service)
    {
        public ApiService Service => service;

        public bool Exists { get; private set; }

        public Client[] Pods { get; private set; } = [];

        public void Put(Client[] pods)
        {
            service.Put(pods);
            (Exists, Pods) = (true, pods);
        }

        public void Delete()
        {
            service.Delete();
            (Exists, Pods) = (false, []);
        }
    }
}
