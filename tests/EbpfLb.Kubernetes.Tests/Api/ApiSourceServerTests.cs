// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.FakeApi;
using EbpfLb.FakeApi.Faults;
using EbpfLb.FakeApi.Store;
using EbpfLb.Kubernetes.Api;
using EbpfLb.Kubernetes.Tests.Support;
using EbpfLb.LoadBalancing.State;
using Microsoft.Extensions.Logging.Abstractions;
using static EbpfLb.FakeApi.Builders.Objects;

namespace EbpfLb.Kubernetes.Tests.Api;

/// <summary>Over TLS and HTTP/2, in protobuf, from a server that misbehaves on demand. In real time: nothing here depends on it.</summary>
public sealed class ApiSourceServerTests
{
    private const int Count = 25;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public Task Objects_are_listed_as_streams_and_followed() => RunAsync(server: _ => { }, async (server, state) =>
    {
        await state.EqualsAsync(server);
        server.Store.Put(Service("default", "new").ClusterIP("10.96.9.9").Port(80));
        server.Store.Delete(ResourceType.Services, "default", "s3");
        await state.EqualsAsync(server);
        Assert.Equal(4, server.Requests.All.Count);
        Assert.All(server.Requests.All, request => Assert.Equal(RequestKind.WatchList, request.Kind));
    });

    [Theory]
    [InlineData(422, null)]
    [InlineData(500, WatchEnding.Error)]
    public Task S148_refused_streams_fall_back_to_pages(int status, WatchEnding? ending) => RunAsync(
        server => server.Faults.Add(new FaultRule { Kind = RequestKind.WatchList, Status = status, Ending = ending }),
        async (server, state) =>
        {
            await state.EqualsAsync(server);
            server.Store.Put(Service("default", "new").ClusterIP("10.96.9.9").Port(80));
            await state.EqualsAsync(server);
            Assert.Equal(4, server.Requests.All.Count(request => request.Kind == RequestKind.WatchList));
            Assert.Equal(4, server.Requests.All.Count(request => request.Kind == RequestKind.List));
        });

    [Theory]
    [InlineData(WatchEnding.End)]
    [InlineData(WatchEnding.Reset)]
    [InlineData(WatchEnding.ResetInFrame)]
    [InlineData(WatchEnding.EndInFrame)]
    public Task S149_cut_watches_lose_nothing(WatchEnding ending) => RunAsync(server: _ => { }, async (server, state) =>
    {
        await state.EqualsAsync(server);
        for (int i = 0; i < 3; i++)
        {
            server.Store.Put(Service("default", $"new{i}").ClusterIP($"10.96.9.{i}").Port(80));
            server.Watches.Finish(ResourceType.Services, ending);
            server.Store.Delete(ResourceType.Services, "default", $"s{i}");
            await state.EqualsAsync(server);
        }

        Assert.Equal(4, server.Requests.All.Count(request => request.Kind == RequestKind.WatchList));
    });

    [Fact]
    public Task S147_what_was_deleted_while_nobody_watched_is_removed_after_the_next_list() => RunAsync(server: _ => { },
        async (server, state) =>
        {
            await state.EqualsAsync(server);
            await server.StopAsync();
            server.Store.Delete(ResourceType.Services, "default", "s3");
            server.Store.Put(Service("default", "new").ClusterIP("10.96.9.9").Port(80));
            server.Store.Compact();
            await server.ResumeAsync();
            await state.EqualsAsync(server);
        });

    [Fact]
    public Task S149_json_that_trickles_is_read() => RunAsync(
        server => server.Faults.Add(new FaultRule { JsonOnly = true, ChunkSize = 7, EmptyLines = true }),
        async (server, state) =>
        {
            await state.EqualsAsync(server);
            server.Store.Put(Service("default", "new").ClusterIP("10.96.9.9").Port(80));
            await state.EqualsAsync(server);
        });

    private static async Task RunAsync(Action<FakeApiServer> server, Func<FakeApiServer, SourceState, Task> test)
    {
        await using var fake = await FakeApiServer.StartAsync(new FakeApiOptions { Tls = true });
        for (int i = 0; i < Count; i++)
        {
            fake.Store.Put(Service("default", $"s{i}").ClusterIP($"10.96.0.{i + 1}").Port(80));
            fake.Store.Put(Slice("default", $"s{i}-1", $"s{i}").Port(8080).Endpoint($"10.244.0.{i + 1}"));
        }

        fake.Store.Put(Node("node-1"));
        server(fake);
        using var directory = new TempDirectory();
        fake.Kubeconfig.Write(directory["config"]);
        using var client = ApiClient.Open(
            new ApiOptions { Kubeconfigs = [directory["config"]] }, NullLogger.Instance, TimeProvider.System);
        var writer = new ClusterStateWriter();
        var source = new ApiSource(client, "node-1", writer, TimeProvider.System, NullLogger<ApiSource>.Instance);
        using var stop = new CancellationTokenSource();
        var run = source.RunAsync(stop.Token);
        try
        {
            await test(fake, new SourceState(writer));
        }
        finally
        {
            await stop.CancelAsync();
            await run.WaitAsync(Patience);
        }
    }

    private sealed class SourceState(ClusterStateWriter writer)
    {
        public async Task EqualsAsync(FakeApiServer server)
        {
            var deadline = Task.Delay(Patience);
            string expected = string.Join(' ', server.Store.Snapshot(ResourceType.Services).Items.Values.Select(item => item.Name).Order());
            while (true)
            {
                var delta = writer.Take();
                string found = string.Join(' ', delta.State.Services.Select(service => service.Name.Name).Order());
                if (delta.IsComplete && found == expected && delta.State.Node is not null
                    && delta.State.SlicesOf(new("default", "s9")).Length == 1)
                    return;

                Assert.False(deadline.IsCompleted, $"{found} instead of {expected}");
                await Task.Delay(5);
            }
        }
    }
}
