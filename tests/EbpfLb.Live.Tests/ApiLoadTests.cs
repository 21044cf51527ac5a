// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.FakeApi.Faults;
using EbpfLb.FakeApi.Store;
using EbpfLb.Live.Tests.Support;
using static EbpfLb.FakeApi.Builders.Objects;

namespace EbpfLb.Live.Tests;

/// <summary>Everything an API server may do wrong, one after the other, while traffic goes on.</summary>
public sealed class ApiLoadTests(ApiNode node) : ApiTest(node), IClassFixture<ApiNode>
{
    private static readonly FaultRule[] OfWatches =
    [
        new() { Status = 410 }, new() { Status = 429, RetryAfterSeconds = 1 }, new() { Status = 500 }, new() { Status = 503 },
        new() { Status = 401 }, new() { Reset = true }, new() { Ending = WatchEnding.Error, Status = 410 },
        new() { Ending = WatchEnding.Reset, EndAfterEvents = 1 }, new() { Ending = WatchEnding.EndInFrame, EndAfterEvents = 1 },
        new() { Body = "{\"kind\":\"Status\"", ContentType = "application/json" }, new() { Copies = 2 }, new() { Reorder = true },
        new() { Padding = 5 * 1024 * 1024 }, new() { RefuseProtobuf = true, ChunkSize = 7 }, new() { JsonOnly = true, EmptyLines = true },
    ];

    [PrivilegedFact]
    public async Task S146_S147_S148_S149_S151_S152_S153_S154_S155_S156_S160_S161_no_request_to_what_did_not_change_fails_meanwhile()
    {
        ApiService kept = Node.NewApiService(), moved = Node.NewApiService();
        kept.PutWithNodePort(Node.P11, Node.P21);
        moved.Put(Node.P13);
        await kept.ServedByAsync(Node.P11, Node.P21);
        await moved.ServedByAsync(Node.P13);
        await using var streams = new StreamSet(
        [
            Node.Outside.Stream("tcp", kept.AtNodePort, intervalMs: 5), Node.P12.Stream("tcp", kept.ClusterIP, intervalMs: 5),
        ]);
        await streams.FlowAsync();

        bool isAtP13 = true;
        foreach (var rule in OfWatches)
        {
            foreach (string resource in new[] { "services", "endpointslices" })
                Node.Server.Faults.Add(rule with { Kind = RequestKind.Watch, Resource = resource, Times = 1 });
            await BreakAsync(hostile: true);
        }

        Node.Server.Faults.Add(new FaultRule { Kind = RequestKind.WatchList, Status = 422 });
        Node.Store.Compact();
        await BreakAsync(hostile: false);
        await Node.Server.StopAsync();
        await streams.FlowAsync();
        await Node.Server.ResumeAsync();
        await BreakAsync(hostile: false);

        foreach (var report in await streams.StopAsync())
            report.AssertAnsweredBy("p11", "p21");

        // Watches end, objects of every kind of wrong come and go, and one change has to arrive all the same.
        async Task BreakAsync(bool hostile)
        {
            Node.Server.Watches.Finish(ResourceType.Services, WatchEnding.End);
            Node.Server.Watches.Finish(ResourceType.EndpointSlices, WatchEnding.Reset);
            var wrong = Node.NewApiService();
            if (hostile)
            {
                Node.Store.Put(Slice("live", wrong.SliceName, wrong.Name).Port(70000).Endpoint("127.0.0.1").Endpoint("abc"));
                Node.Store.Put(Service("live", wrong.Name).ClusterIP("300.1.1.1").Port(0).Set("spec.sessionAffinity", "Foo")
                    .Set("spec.externalIPs", null).Annotation("note", new string('x', 100_000)));
                Node.Store.Delete(ResourceType.Nodes, "", ApiNode.Name);
            }

            isAtP13 = !isAtP13;
            var pod = isAtP13 ? Node.P13 : Node.P22;
            moved.Put(pod);
            wrong.Delete();
            Node.Store.Put(ApiNode.HomeNode);
            await moved.ServedByAsync(pod);
            await streams.FlowAsync();
            Node.Server.Faults.Clear();
        }
    }
}
