// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Live.Tests.Support;
using static EbpfLb.FakeApi.Builders.Objects;

namespace EbpfLb.Live.Tests;

/// <summary>Services that ask for addresses of others.</summary>
public sealed class HostileAddressTests(ApiNode node) : ApiTest(node), IClassFixture<ApiNode>
{
    [PrivilegedFact]
    public async Task S198_addresses_of_the_node_the_server_pods_and_services_are_refused_and_told_and_the_server_stays_within_reach()
    {
        int port = Node.Server.Endpoint.Port;
        string server = Node.Server.Endpoint.Address.ToString();
        Node.Store.Put(ServiceCidr("kubernetes", "10.96.0.0/16"));
        ApiService victim = Node.NewApiService(), thief = Node.NewApiService(), after = Node.NewApiService();
        victim.Put(Node.P21);
        await victim.ServedByAsync(Node.P21);
        string[] wanted =
        [
            OuterNode.FirstV4, server, victim.Address, "10.96.250.250", Node.P12.V4, "0.0.0.0", "127.0.0.1", "169.254.169.254", "224.0.0.1",
            thief.AtExternalIP.Address,
        ];
        Node.Store.Put(Service("live", thief.Name).ClusterIP(thief.Address).Port(port).OfType("LoadBalancer").ExternalIP(wanted)
            .Ingress(server).Ingress(victim.Address));
        Node.Store.Put(thief.SliceOf(Node.P11));
        await thief.ServedByAsync(Node.P11);

        Assert.Equal(
            [$"{thief.Address}:{port}/TCP", $"{thief.AtExternalIP.Address}:{port}/TCP"],
            thief.Frontends(Node.Agent.ReadSnapshot()).Order(StringComparer.Ordinal));
        await Node.EventAsync("AddressRefused", thief.Name);
        foreach (string refused in wanted[..5])
            await Node.ProblemAsync(thief.FullName, $"{refused}:{port}/TCP as an external IP");
        foreach (string refused in new[] { server, victim.Address })
            await Node.ProblemAsync(thief.FullName, $"{refused}:{port}/TCP as a load balancer address");
        // Of one object the first few are told.
        foreach (string invalid in wanted[5..8])
            Assert.Contains($"{invalid} is ", Node.Agent.Log, StringComparison.Ordinal);

        // What the node, its pods and the agent send to the server still reaches the server.
        after.Put(Node.P13);
        await after.ServedByAsync(Node.P13);
        var atServer = new Target("API server", server, port, port);
        foreach (var client in new[] { Node.Host, Node.P12 })
            Assert.DoesNotContain("p11", (await client.TcpAsync(atServer, count: 3, "--timeout", "300")).Backends.Keys);
        (await Node.P12.TcpAsync(victim.ClusterIP, count: 5)).AssertAnsweredBy("p21");
    }

    [PrivilegedFact]
    public async Task S197_names_that_command_a_terminal_stay_on_one_line()
    {
        var service = Node.NewApiService();
        Node.Store.Put(Service("live", service.Name).ClusterIP(service.Address).Port(80, "\u001b[31m\nred\u202e%s{0}"));
        await Node.ProblemAsync(service.FullName, @"\u001b[31m\u000ared\u202e%s{0}");
        Assert.DoesNotContain('\u001b', Node.Agent.Log);
        Assert.DoesNotContain('\u202e', Node.Agent.Log);
        Assert.Contains(Node.Agent.Log.Split('\n'), line => line.Contains(@"\u001b[31m\u000ared\u202e%s{0}", StringComparison.Ordinal));
    }
}
