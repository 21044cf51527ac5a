// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Live.Tests.Support;

namespace EbpfLb.Live.Tests;

/// <summary>
/// A link that drops everything: the one slow test, since the agent gives a connection half a minute to show a sign of life.
/// </summary>
public sealed class ApiSilenceTests(ApiNode node) : ApiTest(node), IClassFixture<ApiNode>
{
    [PrivilegedFact]
    public async Task S150_a_server_that_fell_silent_is_noticed_and_followed_again()
    {
        var service = Node.NewApiService();
        service.Put(Node.P11);
        await service.ServedByAsync(Node.P11);
        await using var stream = Node.P12.Stream("tcp", service.ClusterIP, intervalMs: 50);
        await stream.FlowAsync();

        int from = Node.Agent.LineCount;
        // What the server sends, acknowledgements included, is dropped without a word to either side.
        string blackhole = $"blackhole {OuterNode.FirstV4}/32";
        await Node.Outside.IpAsync($"route add {blackhole}");
        Node.Store.Put(service.SliceOf(Node.P11, Node.P13));
        // The agent's own patience is longer; what is left of it is waited for by the log.
        await Task.Delay(TimeSpan.FromSeconds(20));
        await Node.Agent.WaitForLogAsync("endpointslices.discovery.k8s.io: the watch was cut", from);
        await service.ServedByAsync(Node.P11);

        await Node.Outside.IpAsync($"route del {blackhole}");
        await service.ServedByAsync(Node.P11, Node.P13);
        await stream.FlowAsync();
        (await stream.StopAsync()).AssertAnsweredBy("p11", "p13");
    }
}
