// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.FakeApi.Faults;
using EbpfLb.FakeApi.Security;
using EbpfLb.FakeApi.Store;
using EbpfLb.Live.Tests.Support;

namespace EbpfLb.Live.Tests;

/// <summary>Whom the agent trusts, as whom it comes, and what it may do.</summary>
public sealed class ApiAccessTests(ApiNode node) : ApiTest(node), IClassFixture<ApiNode>
{
    private const string Slices = "endpointslices.discovery.k8s.io";

    [PrivilegedTheory]
    [InlineData("authority")]
    [InlineData("expired")]
    [InlineData("name")]
    public async Task S163_a_server_with_a_wrong_certificate_is_refused(string wrong)
    {
        var service = Node.NewApiService();
        service.Put(Node.P11);
        await service.ServedByAsync(Node.P11);
        var server = Node.Server;
        var good = server.Certificate;
        using var strangers = new CertificateAuthority(TimeProvider.System, "strangers");
        string[] names = [server.Endpoint.Address.ToString()];
        using var bad = wrong switch
        {
            "authority" => strangers.IssueServer(names),
            "expired" => server.Authority!.IssueServer(names, expired: true),
            _ => server.Authority!.IssueServer(["192.0.2.77"]),
        };
        string told = wrong switch
        {
            "authority" => "authority",
            "expired" => "valid from",
            _ => "10.10.0.254",
        };

        await server.StopAsync();
        server.Requests.Clear();
        server.Certificate = bad;
        Node.Store.Put(service.SliceOf(Node.P13));
        await server.ResumeAsync();
        try
        {
            await Node.ProblemAsync(Slices, "its certificate", told);
            Assert.Empty(server.Requests.All);
            await service.ServedByAsync(Node.P11);
        }
        finally
        {
            await server.StopAsync();
            server.Certificate = good;
            await server.ResumeAsync();
        }

        await service.ServedByAsync(Node.P13);
    }

    [PrivilegedFact]
    public async Task S163_credentials_that_are_exchanged_are_used_at_once()
    {
        const string Other = "agent-with-certificate";
        var service = Node.NewApiService();
        service.Put(Node.P11);
        await service.ServedByAsync(Node.P11);
        Node.RotateToken();
        CutWatches();
        service.Put(Node.P13);
        await service.ServedByAsync(Node.P13);

        string before = await File.ReadAllTextAsync(Node.Kubeconfig);
        Node.Server.Access.Allow(Other, Grant.Everything);
        using var certificate = Node.Server.Authority!.IssueClient(Other);
        (Node.Server.Kubeconfig with { ClientCertificate = certificate }).Write(Node.Kubeconfig);
        Node.RotateToken();
        Node.Server.Requests.Clear();
        CutWatches();
        service.Put(Node.P21);
        await service.ServedByAsync(Node.P21);
        Assert.Contains(
            Node.Server.Requests.All, request => request is { User: Other, Resource: Slices, Kind: RequestKind.Watch, Status: 200 });

        // What was exchanged without a refusal is looked for after half a minute.
        await File.WriteAllTextAsync(Node.Kubeconfig, before);
        await Node.Agent.KillAsync();
        await Node.Agent.StartAsync();
    }

    [PrivilegedTheory]
    [InlineData(null)]
    [InlineData("clusters: [")]
    public async Task S163_a_kubeconfig_that_cannot_be_read_is_named(string? text)
    {
        string path = Path.Combine(Node.Playground.Directory, "broken");
        if (text is not null)
            await File.WriteAllTextAsync(path, text);
        await using var second = new LiveAgent(
            Node.Playground.BpfFsOfSecondNode, Node.Playground.CgroupOfSecondNode, manifests: null)
        {
            NodeName = "n2",
            Kubeconfig = path,
            NetworkNamespace = Node.SecondHost.NetworkNamespace,
        };
        var result = await second.RunToEndAsync();
        Assert.NotEqual(0, result.ExitCode);
        Assert.StartsWith("error: ", result.StdErr, StringComparison.Ordinal);
        Assert.Contains(path, result.StdErr, StringComparison.Ordinal);
        Assert.False(Directory.Exists(second.Pins));
        File.Delete(path);
    }

    [PrivilegedFact]
    public async Task S164_without_the_right_to_see_slices_nothing_is_deleted()
    {
        ApiService service = Node.NewApiService(), deleted = Node.NewApiService();
        service.Put(Node.P11, Node.P21);
        deleted.Put(Node.P13);
        await service.ServedByAsync(Node.P11, Node.P21);
        await deleted.ServedByAsync(Node.P13);
        var before = Node.Agent.ReadSnapshot();
        await Node.Agent.KillAsync();
        deleted.Delete();
        Node.Store.Put(service.SliceOf(Node.P11));
        Node.Allow(new Grant(["*"], ["services", "nodes", "servicecidrs.networking.k8s.io", "events.events.k8s.io"]));

        await Node.Agent.StartAsync(until: $"{Slices}: ");
        string line = await Node.Agent.WaitForLogAsync($"{Slices}: ");
        Assert.Contains("resources: [\"endpointslices\"], verbs: [\"list\", \"watch\"]", line, StringComparison.Ordinal);
        await Node.Server.Requests.WaitAsync(
            request => request is { Resource: Slices, Status: 403 }, 2, Eventually.Timeout());
        await Node.ProblemAsync(Slices, "endpointslices");
        Assert.Equal(before.Frontends, Node.Agent.ReadSnapshot().Frontends);
        Assert.Equal(before.Backends, Node.Agent.ReadSnapshot().Backends);
        Assert.Equal(503, await Node.HealthzAsync());
        (await Node.P12.TcpAsync(service.ClusterIP, count: 20)).AssertAnsweredBy("p11", "p21");
        Assert.Single(Node.Agent.Log.Split('\n'), told => told.Contains($"{Slices}: ", StringComparison.Ordinal));

        Node.Allow(Grant.Everything);
        await service.ServedByAsync(Node.P11);
        await deleted.GoneAsync();
        await Node.HealthzIsAsync(200);
    }

    private void CutWatches()
    {
        foreach (var type in new[] { ResourceType.Services, ResourceType.EndpointSlices })
            Node.Server.Watches.Finish(type, WatchEnding.End);
    }
}
