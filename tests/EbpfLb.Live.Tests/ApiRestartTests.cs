// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Inspection;
using EbpfLb.FakeApi.Faults;
using EbpfLb.Live.Tests.Support;

namespace EbpfLb.Live.Tests;

/// <summary>An agent that starts on the maps of an earlier run.</summary>
public sealed class ApiRestartTests(ApiNode node) : ApiTest(node), IClassFixture<ApiNode>
{
    [PrivilegedTheory]
    [InlineData("services")]
    [InlineData("endpointslices.discovery.k8s.io")]
    [InlineData("nodes")]
    public async Task S130_nothing_is_removed_before_every_list_is_complete(string late)
    {
        ApiService kept = Node.NewApiService(), deleted = Node.NewApiService();
        kept.PutWithNodePort(Node.P11, Node.P21);
        deleted.PutWithNodePort(Node.P13);
        await kept.ServedByAsync(Node.P11, Node.P21);
        await deleted.ServedByAsync(Node.P13);
        // The first frontend of a service comes before the others.
        await Node.SettleAsync();
        var before = Node.Agent.ReadSnapshot();
        await using var stream = Node.P12.Stream("tcp", kept.ClusterIP, intervalMs: 10);
        await stream.FlowAsync();

        await Node.Agent.KillAsync();
        deleted.Delete();
        Node.Server.Requests.Clear();
        Node.Server.Faults.Add(new FaultRule { Kind = RequestKind.WatchList, Resource = late, DelayMilliseconds = 1500, Times = 1 });
        await Node.Agent.StartAsync(until: " follows ");
        int samples = 0;
        while (true)
        {
            var maps = Node.Agent.ReadSnapshot();
            Assert.Equal(kept.Frontends(before), kept.Frontends(maps));
            Assert.Equal(kept.Backends(before), kept.Backends(maps));
            // The answer has not begun, so it had not when the maps were read.
            if (Node.Server.Requests.All.Any(request => request.Resource == late && request.Status is not null))
                break;

            Assert.Equal(deleted.Frontends(before), deleted.Frontends(maps));
            Assert.Equal(deleted.Backends(before), deleted.Backends(maps));
            samples++;
            await Task.Delay(20);
        }

        await deleted.GoneAsync();
        Assert.NotEqual(0, samples);
        Assert.Equal(kept.Frontends(before), kept.Frontends(Node.Agent.ReadSnapshot()));
        await stream.FlowAsync();
        (await stream.StopAsync()).AssertAnsweredBy("p11", "p21");
    }

    [PrivilegedFact]
    public async Task S131_what_changed_while_the_agent_was_down_is_exactly_what_is_served_after_its_start()
    {
        ApiService deleted = Node.NewApiService(), replaced = Node.NewApiService(), renumbered = Node.NewApiService(),
            without = Node.NewApiService();
        deleted.Put(Node.P11);
        replaced.Put(Node.P11);
        renumbered.PutWithNodePort(Node.P11);
        Node.Store.Put(without.Object.ExternalIP(without.AtExternalIP.Address));
        Node.Store.Put(without.SliceOf(Node.P13));
        foreach (var service in new[] { deleted, replaced, renumbered })
            await service.ServedByAsync(Node.P11);
        await without.ServedByAsync(Node.P13);
        (await Node.Outside.TcpAsync(without.AtExternalIP)).AssertAnsweredBy("p13");

        await Node.Agent.TerminateAsync();
        deleted.Delete();
        Node.Store.Put(replaced.SliceOf(Node.P21));
        int nodePort = Node.NewApiService().NodePort;
        Node.Store.Put(renumbered.Object.OfType("NodePort").Set("spec.ports", null).Port(ApiService.Port, nodePort: nodePort));
        Node.Store.Put(without.Object);
        await Node.Agent.StartAsync();

        var maps = Node.Agent.ReadSnapshot();
        string[] wanted =
        [
            replaced.ClusterIP.Tcp, renumbered.ClusterIP.Tcp, without.ClusterIP.Tcp, $"0.0.0.0:{nodePort}",
        ];
        Assert.Equal(wanted.Order(StringComparer.Ordinal), Keys(maps));
        Assert.Equal(
            new[] { (replaced.FullName, Node.P21.V4), (renumbered.FullName, Node.P11.V4), (without.FullName, Node.P13.V4) }.Order(),
            maps.Backends.Select(backend => (backend.ServiceName.TrimEnd(':'), backend.Address.ToString())).Order());
        (await Node.P12.TcpAsync(replaced.ClusterIP, count: 5)).AssertAnsweredBy("p21");
        (await Node.Outside.TcpAsync(renumbered.AtNodePort with { TcpPort = nodePort }, count: 5)).AssertAnsweredBy("p11");
        (await Node.Outside.TcpAsync(renumbered.AtNodePort)).AssertAllFailedWith("ECONNREFUSED");
        Assert.Equal(0, (await Node.Outside.TcpAsync(without.AtExternalIP, count: 1, "--timeout", "100")).Succeeded);
        Assert.Equal(0, (await Node.P12.TcpAsync(deleted.ClusterIP, count: 1, "--timeout", "100")).Succeeded);
    }

    private static IEnumerable<string> Keys(DatapathSnapshot maps) =>
        maps.Frontends.Select(view => $"{view.Address.Address}:{view.Address.Port}").Order(StringComparer.Ordinal);
}
