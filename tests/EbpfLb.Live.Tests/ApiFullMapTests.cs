// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Live.Tests.Support;

namespace EbpfLb.Live.Tests;

/// <summary>A node whose maps are too small.</summary>
public sealed class ApiFullMapTests(SmallNode node) : ApiTest(node), IClassFixture<SmallNode>
{
    [PrivilegedFact]
    public async Task S175_a_service_that_does_not_fit_has_an_Event_and_the_others_are_served()
    {
        ApiService small = Node.NewApiService(), large = Node.NewApiService();
        small.Put(Node.P11);
        await small.ServedByAsync(Node.P11);
        Node.Store.Put(large.Object);
        Node.Store.Put(Enumerable.Range(1, SmallNode.Backends + 1)
            .Aggregate(large.EmptySlice, (slice, number) => slice.Endpoint($"10.244.1.{100 + number}")));
        await Node.EventAsync("NotProgrammed", large.Name);
        await Node.ProblemAsync(large.FullName, "backends_v1");
        await small.ServedByAsync(Node.P11);
        (await Node.P12.TcpAsync(small.ClusterIP)).AssertAnsweredBy("p11");

        Node.Store.Put(large.SliceOf(Node.P13));
        await large.ServedByAsync(Node.P13);
        (await Node.P12.TcpAsync(large.ClusterIP)).AssertAnsweredBy("p13");
    }
}

public sealed class SmallNode() : ApiNode("--map-size", $"backends_v1={Backends}")
{
    internal const int Backends = 8;
}
