// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Live.Tests.Support;

namespace EbpfLb.Live.Tests;

/// <summary>Traffic of pods and of the host to a ClusterIP, in both families.</summary>
public sealed class ClusterIpTests(LiveNode node) : LiveTest(node)
{
    // Of the node, as the other node and its pods see it.
    private const string HostAtOtherNodeV4 = "10.10.0.1";
    private const string HostAtOtherNodeV6 = "[fd00:10:10::1]";

    [PrivilegedFact]
    public async Task S1_every_connection_reaches_a_backend_and_the_client_sees_the_frontend()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready, Node.P21.Ready);

        foreach (var family in LiveNode.Families)
        {
            var report = await Node.P12.TcpAsync(service, family, count: 100);
            report.AssertAnsweredBy("p11", "p21");
            Assert.Equal(100, report.Succeeded);
            Assert.Equal([service.Frontend(family)], report.Peernames.Keys);
            Assert.Equal([Node.P12.Source(family)], report.Sources.Keys);
        }
    }

    [PrivilegedFact]
    public async Task S2_datagrams_come_from_the_frontend_on_connected_and_unconnected_sockets()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready, Node.P21.Ready);

        foreach (var family in LiveNode.Families)
        {
            var unconnected = await Node.P12.UdpAsync(service, family, count: 100);
            var connected = await Node.P12.UdpConnectedAsync(service, family, count: 100);
            foreach (var report in new[] { unconnected, connected })
            {
                report.AssertAnsweredBy("p11", "p21");
                Assert.Equal(100, report.Succeeded);
                Assert.Equal([service.Frontend(family)], report.From.Keys);
                Assert.Equal([Node.P12.Source(family)], report.Sources.Keys);
            }

            Assert.Equal([service.Frontend(family)], connected.Peernames.Keys);
        }
    }

    [PrivilegedFact]
    public async Task S3_a_named_port_leads_to_the_number_each_slice_gives_it()
    {
        var service = Node.NewService();
        string Slice(string suffix, Client pod, string name, int number) =>
            service.SliceV4(suffix, [new ServicePort(name, "TCP", number)], pod.Ready);
        string Service(string name) => service.Manifest(ports: [new ServicePort(name, "TCP", LiveService.Port)]);

        await service.PublishTextAsync(Service("web"), Slice("a", Node.P11, "web", 8080), Slice("b", Node.P21, "web", 8081));
        await AssertDestinationsAsync("10.244.1.11:8080", "10.244.2.21:8081");

        // Another number in one slice.
        await service.PublishTextAsync(Service("web"), Slice("a", Node.P11, "web", 8080), Slice("b", Node.P21, "web", 8082));
        await AssertDestinationsAsync("10.244.1.11:8080", "10.244.2.21:8082");

        // Another name: first of the service, for which no slice has a port then, after that of one slice.
        await service.PublishTextAsync(Service("http"), Slice("a", Node.P11, "web", 8080), Slice("b", Node.P21, "web", 8082));
        foreach (var client in Node.Clients)
            (await client.TcpAsync(service, DialFamily.V4)).AssertAllFailedWith("ECONNREFUSED");
        await service.PublishTextAsync(Service("http"), Slice("a", Node.P11, "web", 8080), Slice("b", Node.P21, "http", 8082));
        await AssertDestinationsAsync("10.244.2.21:8082");

        async Task AssertDestinationsAsync(params string[] expected)
        {
            foreach (var client in Node.Clients)
            {
                var report = await client.TcpAsync(service, DialFamily.V4, count: 60);
                report.AssertNoneFailed();
                Assert.Equal(expected, report.Destinations.Keys.Order(StringComparer.Ordinal));
            }
        }
    }

    [PrivilegedFact]
    public async Task S4_tcp_and_udp_on_one_port_number_do_not_mix()
    {
        const int TcpOnly = 81;
        var service = Node.NewService();
        ServicePort tcp = new("tcp", "TCP", LiveService.TargetPort), udp = new("udp", "UDP", LiveService.TargetPort);
        await service.PublishTextAsync(
            service.Manifest(ports: [.. LiveService.Ports, new ServicePort("tcp-only", "TCP", TcpOnly)]),
            service.SliceV4("tcp4", [tcp, tcp with { Name = "tcp-only" }], Node.P11.Ready),
            service.SliceV6("tcp6", [tcp, tcp with { Name = "tcp-only" }], Node.P11.Ready),
            service.SliceV4("udp4", [udp], Node.P21.Ready),
            service.SliceV6("udp6", [udp], Node.P21.Ready));

        await Node.FromEverywhereAsync(async (client, family) =>
        {
            (await client.TcpAsync(service, family, count: 30)).AssertAnsweredBy("p11");
            (await client.UdpAsync(service, family, count: 30)).AssertAnsweredBy("p21");
            (await client.TcpAsync(service, family, port: TcpOnly)).AssertAnsweredBy("p11");

            // The backend would answer: it listens for datagrams too.
            (await client.UdpAsync(service, family, port: TcpOnly)).AssertAllFailedWith("ECONNREFUSED");
        });
    }

    [PrivilegedFact]
    public async Task S5_a_port_the_service_does_not_have_is_refused()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready);

        await Node.FromEverywhereAsync(async (client, family) =>
        {
            (await client.TcpAsync(service, family, port: 81)).AssertAllFailedWith("ECONNREFUSED");
            (await client.UdpAsync(service, family, port: 81)).AssertAllFailedWith("ECONNREFUSED");
            (await client.TcpAsync(service, family)).AssertAnsweredBy("p11");
        });
    }

    [PrivilegedFact]
    public async Task A_datagram_socket_may_connect_to_a_port_the_service_does_not_have_and_hears_nothing()
    {
        // Resolvers connect so, to learn the source address they would have, and send nothing.
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready);

        var reports = await Task.WhenAll(Node.Clients.SelectMany(client => LiveNode.Families.Select(async family =>
            (Expected: service.Frontend(family, port: 81), Report: await client.UdpConnectedAsync(service, family, port: 81)))));
        Assert.All(reports, result =>
        {
            Assert.Equal(0, result.Report.Succeeded);
            Assert.Equal([result.Expected], result.Report.Peernames.Keys);
        });
    }

    [PrivilegedFact]
    public async Task S7_a_pod_that_dials_its_own_service_reaches_itself_from_its_own_address()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready);

        foreach (var family in LiveNode.Families)
        {
            var tcp = await Node.P11.TcpAsync(service, family, count: 10);
            tcp.AssertAnsweredBy("p11");
            Assert.Equal([service.Frontend(family)], tcp.Peernames.Keys);
            Assert.Equal([Node.P11.Source(family)], tcp.Sources.Keys);

            var udp = await Node.P11.UdpAsync(service, family, count: 10);
            udp.AssertAnsweredBy("p11");
            Assert.Equal([service.Frontend(family)], udp.From.Keys);
            Assert.Equal([Node.P11.Source(family)], udp.Sources.Keys);
        }
    }

    [PrivilegedFact]
    public async Task S8_the_host_reaches_local_and_remote_endpoints_from_its_own_address()
    {
        LiveService local = Node.NewService(), remote = Node.NewService();
        await local.PublishAsync(Node.P11.Ready);
        await remote.PublishAsync(Node.P21.Ready);

        foreach (var family in LiveNode.Families)
        {
            string outside = family == DialFamily.V6 ? HostAtOtherNodeV6 : HostAtOtherNodeV4;
            foreach (var (service, pod, source) in new[] { (local, "p11", Node.Host.Source(family)), (remote, "p21", outside) })
            {
                var tcp = await Node.Host.TcpAsync(service, family, count: 10);
                tcp.AssertAnsweredBy(pod);
                Assert.Equal([source], tcp.Sources.Keys);
                Assert.Equal([service.Frontend(family)], tcp.Peernames.Keys);

                var udp = await Node.Host.UdpAsync(service, family, count: 10);
                udp.AssertAnsweredBy(pod);
                Assert.Equal([source], udp.Sources.Keys);
                Assert.Equal([service.Frontend(family)], udp.From.Keys);
            }
        }
    }

    [PrivilegedFact]
    public async Task S17_a_service_without_endpoints_refuses_connections()
    {
        var service = Node.NewService();
        await service.PublishAsync();

        await Node.FromEverywhereAsync(async (client, family) =>
            (await client.TcpAsync(service, family, count: 3)).AssertAllFailedWith("ECONNREFUSED"));
    }

    [PrivilegedFact]
    public async Task S18_a_service_without_endpoints_refuses_datagrams()
    {
        var service = Node.NewService();
        await service.PublishAsync();

        await Node.FromEverywhereAsync(async (client, family) =>
        {
            (await client.UdpConnectedAsync(service, family, count: 3)).AssertAllFailedWith("ECONNREFUSED");
            (await client.UdpAsync(service, family, count: 3)).AssertAllFailedWith("ECONNREFUSED");
        });
    }

    [PrivilegedFact]
    public async Task Policy_Local_keeps_to_the_node_and_without_a_local_endpoint_times_out_at_once()
    {
        LiveService both = Node.NewService("internalTrafficPolicy: Local"), away = Node.NewService("internalTrafficPolicy: Local");
        await both.PublishAsync(Node.P11.Ready, Node.P21.Ready);
        await away.PublishAsync(Node.P21.Ready);

        await Node.FromEverywhereAsync(async (client, family) =>
        {
            (await client.TcpAsync(both, family, count: 30)).AssertAnsweredBy("p11");
            (await client.UdpAsync(both, family, count: 30)).AssertAnsweredBy("p11");

            // The kernel's own word: what lasts too long for the probe is called otherwise.
            (await client.TcpAsync(away, family)).AssertAllFailedWith("ETIMEDOUT");
            (await client.UdpAsync(away, family)).AssertAllFailedWith("ETIMEDOUT");
        });
    }

    [PrivilegedFact]
    public async Task S24_services_without_address_or_ports_have_no_frontends_and_are_no_error()
    {
        LiveService headless = Node.NewService(), external = Node.NewService(), portless = Node.NewService(), neighbour = Node.NewService();
        await neighbour.PublishTextAsync(
        [
            Manifests.Service(headless.Name, ["None"], LiveService.Ports),
            .. headless.Slices([Node.P11.Ready]),
            Manifests.Service(external.Name, [], LiveService.Ports, "type: ExternalName\nexternalName: example.com"),
            portless.Manifest(ports: []),
            .. portless.Slices([Node.P11.Ready]),
            neighbour.Manifest(),
            .. neighbour.Slices([Node.P11.Ready]),
        ]);

        var snapshot = Node.Agent.ReadSnapshot();
        foreach (var service in new[] { headless, external, portless })
            Assert.DoesNotContain(snapshot.Services, view => service.Owns(view.Name));
        Assert.Equal(4, snapshot.Frontends.Count(frontend => neighbour.Owns(frontend.ServiceName)));
        Assert.Empty(Node.Agent.ReadStatus().Problems);
        (await Node.P12.TcpAsync(neighbour, DialFamily.V4)).AssertAnsweredBy("p11");
    }

    [PrivilegedFact]
    public async Task S29_each_family_of_a_dual_stack_service_has_its_own_endpoints()
    {
        var service = Node.NewService("ipFamilyPolicy: PreferDualStack");
        string v4 = service.SliceV4("v4", LiveService.TargetPorts, Node.P11.Ready);
        string v6 = service.SliceV6("v6", LiveService.TargetPorts, Node.P21.Ready);
        await service.PublishTextAsync(service.Manifest(), v4, v6);
        await Node.FromEverywhereAsync(async (client, family) =>
            (await client.TcpAsync(service, family, count: 20)).AssertAnsweredBy(family == DialFamily.V6 ? "p21" : "p11"));

        await service.PublishTextAsync(service.Manifest(), v4);
        await Node.FromEverywhereAsync(async (client, family) =>
        {
            var report = await client.TcpAsync(service, family);
            if (family == DialFamily.V6)
                report.AssertAllFailedWith("ECONNREFUSED");
            else
                report.AssertAnsweredBy("p11");
        });

        await service.PublishTextAsync(service.Manifest(), v6);
        await Node.FromEverywhereAsync(async (client, family) =>
        {
            var report = await client.TcpAsync(service, family);
            if (family == DialFamily.V6)
                report.AssertAnsweredBy("p21");
            else
                report.AssertAllFailedWith("ECONNREFUSED");
        });
    }

    [PrivilegedFact]
    public async Task S105_sockets_behave_as_on_plain_Linux()
    {
        const string RefusedPort = "81";
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready);

        foreach (var client in Node.Clients)
        {
            foreach (var family in LiveNode.Families)
            {
                string[] options =
                [
                    "--direct", family == DialFamily.V6 ? Node.P11.V6 : Node.P11.V4, "--direct-port", $"{LiveService.TargetPort}",
                    "--device", client == Node.Host ? "br0" : "eth0", "--refused-port", RefusedPort,
                ];
                Assert.Empty(await client.ChecksAsync("tcp", service, family, options));
                Assert.Empty(await client.ChecksAsync("udp", service, family, options));
            }
        }
    }

    [PrivilegedFact]
    public async Task A_process_outside_of_the_agents_cgroup_finds_nobody_at_a_frontend()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready);
        (await Node.P12.TcpAsync(service, DialFamily.V4)).AssertAnsweredBy("p11");

        // A pod of the other node: no program there, and no route either.
        var reports = await Task.WhenAll(LiveNode.Families.SelectMany(family => new[]
        {
            Node.P22.TcpAsync(service, family), Node.P22.UdpAsync(service, family), Node.P22.UdpConnectedAsync(service, family),
        }));
        Assert.All(reports, report => Assert.Equal((0, 1), (report.Succeeded, report.Failed)));
    }
}
