// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using EbpfLb.FakeApi.Faults;
using EbpfLb.FakeApi.Store;
using EbpfLb.Live.Tests.Support;
using Xunit.Abstractions;
using static EbpfLb.FakeApi.Builders.Objects;

namespace EbpfLb.Live.Tests;

/// <summary>What an API server, or the way to it, does wrong: what was seen last is served, and what was missed is made up for.</summary>
public sealed class ApiServerTests(ApiNode node, ITestOutputHelper output) : ApiTest(node), IClassFixture<ApiNode>
{
    [PrivilegedFact]
    public async Task S145_a_start_without_a_server_leaves_the_datapath_as_it_was()
    {
        var service = Node.NewApiService();
        service.PutWithNodePort(Node.P11, Node.P21);
        await service.ServedByAsync(Node.P11, Node.P21);
        var before = Node.Agent.ReadSnapshot();
        await using var stream = Node.Outside.Stream("tcp", service.AtNodePort, intervalMs: 10);
        await stream.FlowAsync();
        await Node.Agent.KillAsync();
        await Node.Server.StopAsync();

        await Node.Agent.StartAsync(until: " cannot be used: ");
        await Node.HealthzIsAsync(503);
        Assert.Equal(200, (await Node.GetAsync(10256, "/livez"))!.Status);
        output.WriteLine($"{await CpuSecondsAsync():F2} s of CPU after the start");
        await Task.Delay(2000);
        output.WriteLine($"{await CpuSecondsAsync():F2} s of CPU two seconds later");
        await stream.FlowAsync();
        Assert.Equal(before.Frontends, Node.Agent.ReadSnapshot().Frontends);
        Assert.Equal(before.Backends, Node.Agent.ReadSnapshot().Backends);
        Assert.Equal(200, (await Node.GetAsync(10256, "/livez"))!.Status);
        Assert.Equal(503, await Node.HealthzAsync());

        service.PutWithNodePort(Node.P13);
        await Node.Server.ResumeAsync();
        await service.ServedByAsync(Node.P13);
        await Node.HealthzIsAsync(200);
        await stream.FlowAsync();
        (await stream.StopAsync()).AssertAnsweredBy("p11", "p13", "p21");
    }

    [PrivilegedFact]
    public async Task S146_a_server_that_was_away_is_caught_up_with()
    {
        LiveAgent agent = Node.Agent;
        ApiService kept = Node.NewApiService(), moved = Node.NewApiService(), deleted = Node.NewApiService(), added = Node.NewApiService();
        kept.PutWithNodePort(Node.P11, Node.P21);
        moved.Put(Node.P11);
        deleted.Put(Node.P11);
        await kept.ServedByAsync(Node.P11, Node.P21);
        await moved.ServedByAsync(Node.P11);
        await deleted.ServedByAsync(Node.P11);
        await using var outside = Node.Outside.Stream("tcp", kept.AtNodePort, intervalMs: 10);
        await using var inside = Node.P12.Stream("tcp", kept.ClusterIP, intervalMs: 10);
        await Task.WhenAll(outside.FlowAsync(), inside.FlowAsync());

        await Node.Server.StopAsync();
        var before = agent.ReadSnapshot();
        await Node.ProblemAsync("services", "not followed since");
        moved.Put(Node.P21);
        deleted.Delete();
        added.Put(Node.P13);
        await Task.WhenAll(outside.FlowAsync(), inside.FlowAsync());
        Assert.Equal(before.Frontends, agent.ReadSnapshot().Frontends);
        Assert.Equal(before.Backends, agent.ReadSnapshot().Backends);
        Assert.Equal(200, await Node.HealthzAsync());

        await Node.Server.ResumeAsync();
        await moved.ServedByAsync(Node.P21);
        await added.ServedByAsync(Node.P13);
        await deleted.GoneAsync();
        await Task.WhenAll(outside.FlowAsync(), inside.FlowAsync());
        (await outside.StopAsync()).AssertAnsweredBy("p11", "p21");
        (await inside.StopAsync()).AssertAnsweredBy("p11", "p21");
        (await Node.P12.TcpAsync(moved.ClusterIP, count: 5)).AssertAnsweredBy("p21");
        Assert.Equal(0, (await Node.P12.TcpAsync(deleted.ClusterIP, count: 1, "--timeout", "100")).Succeeded);
    }

    [PrivilegedTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task S147_what_was_deleted_while_a_version_became_too_old_disappears_and_nothing_else(bool refused)
    {
        ApiService kept = Node.NewApiService(), deleted = Node.NewApiService(), empty = Node.NewApiService();
        kept.Put(Node.P11, Node.P21);
        deleted.Put(Node.P11);
        empty.Put(Node.P13);
        await kept.ServedByAsync(Node.P11, Node.P21);
        await deleted.ServedByAsync(Node.P11);
        await empty.ServedByAsync(Node.P13);
        await using var stream = Node.P12.Stream("tcp", kept.ClusterIP, intervalMs: 5);
        await stream.FlowAsync();

        await Node.Server.StopAsync();
        deleted.Delete();
        empty.DeleteSlice();
        if (refused)
        {
            foreach (string resource in new[] { "services", "endpointslices" })
                Node.Server.Faults.Add(new FaultRule { Kind = RequestKind.Watch, Resource = resource, Status = 410, Times = 1 });
        }
        else
        {
            Node.Store.Compact();
        }

        int from = Node.Agent.LineCount;
        await Node.Server.ResumeAsync();
        await Node.Agent.WaitForLogAsync("services: the server no longer has changes since", from);
        await deleted.GoneAsync();
        await empty.ServedByAsync();
        await stream.FlowAsync();
        (await stream.StopAsync()).AssertAnsweredBy("p11", "p21");
        Assert.Equal(0, (await Node.P12.TcpAsync(deleted.ClusterIP, count: 1, "--timeout", "100")).Succeeded);
        (await Node.P12.TcpAsync(empty.ClusterIP)).AssertAllFailedWith("ECONNREFUSED");
    }

    [PrivilegedTheory]
    [InlineData(422)]
    [InlineData(500)]
    public async Task S148_a_server_that_streams_no_lists_is_asked_for_pages(int status)
    {
        ApiService before = Node.NewApiService(), after = Node.NewApiService();
        before.Put(Node.P11);
        await before.ServedByAsync(Node.P11);
        await Node.Agent.KillAsync();
        Node.Server.Requests.Clear();
        Node.Server.Faults.Add(status == 422
            ? new FaultRule { Kind = RequestKind.WatchList, Status = status }
            : new FaultRule { Kind = RequestKind.WatchList, Ending = WatchEnding.Error, Status = status });

        await Node.Agent.StartAsync();
        await before.ServedByAsync(Node.P11);
        after.Put(Node.P21);
        await after.ServedByAsync(Node.P21);
        var requests = Node.Server.Requests.All.Where(request => request.Resource.Length > 0);
        foreach (var resource in requests.GroupBy(request => request.Resource))
        {
            Assert.Single(resource, request => request.Kind == RequestKind.WatchList);
            Assert.Single(resource, request => request.Kind == RequestKind.List);
        }
    }

    [PrivilegedFact]
    public async Task S149_no_event_is_lost_however_a_watch_is_cut()
    {
        var service = Node.NewApiService();
        service.Put(Node.P11);
        await service.ServedByAsync(Node.P11);
        FaultRule[] rules =
        [
            new() { Ending = WatchEnding.End, EndAfterEvents = 1, Times = 2 },
            new() { Ending = WatchEnding.Reset, EndAfterEvents = 1, Times = 2 },
            new() { Ending = WatchEnding.ResetInFrame, EndAfterEvents = 1, Times = 2 },
            new() { Ending = WatchEnding.EndInFrame, EndAfterEvents = 1, Times = 2 },
            new() { ChunkSize = 7, ChunkDelayMilliseconds = 1 },
            new() { Padding = 10 * 1024 * 1024 },
            new() { JsonOnly = true, Padding = 10 * 1024 * 1024 },
            new() { JsonOnly = true, EmptyLines = true, ChunkSize = 3 },
        ];
        foreach (var rule in rules)
        {
            long start = Stopwatch.GetTimestamp();
            Node.Server.Faults.Add(rule with { Kind = RequestKind.Watch, Resource = "endpointslices" });
            Node.Server.Watches.Finish(ResourceType.EndpointSlices, WatchEnding.End);
            // Three events, the first two in streams of their own where the rule cuts. The text has characters of several bytes.
            Node.Store.Put(service.SliceOf(Node.P13).Annotation("note", "Grüße, 世界"));
            Node.Store.Put(service.SliceOf(Node.P13, Node.P22));
            Node.Store.Put(service.SliceOf(Node.P21));
            await service.ServedByAsync(Node.P21);
            output.WriteLine($"{Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s: {rule}");
            Node.Server.Faults.Clear();
            Node.Server.Watches.Finish(ResourceType.EndpointSlices, WatchEnding.End);
            Node.Store.Put(service.SliceOf(Node.P11));
            await service.ServedByAsync(Node.P11);
        }
    }

    [PrivilegedFact]
    public async Task S151_refusals_are_waited_out_and_Retry_After_is_kept()
    {
        const int RetryAfter = 2;
        var service = Node.NewApiService();
        service.Put(Node.P11);
        await service.ServedByAsync(Node.P11);
        Node.Server.Requests.Clear();
        (ResourceType Type, FaultRule Rule)[] refusals =
        [
            (ResourceType.Services, new FaultRule { Status = 429, RetryAfterSeconds = RetryAfter }),
            (ResourceType.EndpointSlices, new FaultRule { Status = 503 }),
            (ResourceType.Nodes, new FaultRule { Status = 500 }),
            (ResourceType.ServiceCidrs, new FaultRule { Status = 401 }),
        ];
        foreach (var (type, rule) in refusals)
        {
            Node.Server.Faults.Add(rule with { Kind = RequestKind.Watch, Resource = type.Name, Times = 1 });
            Node.Server.Watches.Finish(type, WatchEnding.End);
        }

        service.Put(Node.P21);
        Node.Store.Put(ServiceCidr("kubernetes", "10.96.0.0/16"));
        await Node.Server.Requests.WaitAsync(
            request => request is { Kind: RequestKind.Watch, Status: 200 }, refusals.Length, Eventually.Timeout());
        await service.ServedByAsync(Node.P21);
        await Node.MapsAsync(maps => maps.ServiceCidrs.Count == 1, "the service range");
        foreach (var (type, rule) in refusals)
        {
            var asked = Node.Server.Requests.All.Where(request => request.Resource == type.Name).ToArray();
            Assert.Equal([rule.Status, 200], asked.Select(request => request.Status));
            if (rule.RetryAfterSeconds is { } seconds)
                Assert.True(TimeSpan.FromMicroseconds((asked[1].At - asked[0].At) / 1000.0) >= TimeSpan.FromSeconds(seconds));
        }
    }

    [PrivilegedFact]
    public async Task S162_a_list_in_pages_is_whole_also_when_its_place_is_lost()
    {
        const int Count = 1200;
        var services = Enumerable.Range(0, Count).Select(_ => Node.NewApiService()).ToArray();
        await Node.Agent.KillAsync();
        foreach (var service in services)
            Node.Store.Put(service.Object);
        foreach (bool lost in new[] { false, true })
        {
            Node.Server.Requests.Clear();
            Node.Server.Faults.Add(new FaultRule { Kind = RequestKind.WatchList, Status = 422 });
            if (lost)
                Node.Server.Faults.Add(new FaultRule { Kind = RequestKind.ListPage, Resource = "services", Status = 410, Times = 1 });
            await Node.Agent.StartAsync();

            Assert.Equal(
                services.Select(service => service.ClusterIP.Tcp).Order(StringComparer.Ordinal),
                Node.Agent.ReadSnapshot().Frontends.Select(view => $"{view.Address.Address}:{view.Address.Port}")
                    .Order(StringComparer.Ordinal));
            var lists = Node.Server.Requests.All.Where(request => request is
            {
                Resource: "services", Kind: RequestKind.List or RequestKind.ListPage,
            });
            // Without its place the list begins again, in one piece.
            Assert.Equal(lost ? [200, 410, 200] : [200, 200, 200], lists.Select(request => request.Status!.Value));
            Node.Server.Faults.Clear();
            await Node.Agent.KillAsync();
        }

        await Node.Agent.StartAsync();
    }

    // utime and stime, in hundredths of a second.
    private async Task<double> CpuSecondsAsync()
    {
        string[] fields = (await File.ReadAllTextAsync($"/proc/{Node.Agent.Pid}/stat")).Split(") ")[^1].Split(' ');
        return (long.Parse(fields[11], System.Globalization.CultureInfo.InvariantCulture)
            + long.Parse(fields[12], System.Globalization.CultureInfo.InvariantCulture)) / 100.0;
    }
}
