// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.State;
using static EbpfLb.LoadBalancing.Tests.Objects;

namespace EbpfLb.LoadBalancing.Tests.Desired;

/// <summary>Addresses outside that would take what is meant for others.</summary>
public sealed class RefusedFrontendTests
{
    private const string NodeAddress = "192.0.2.11";
    private const string ApiServer = "192.0.2.9";
    private static readonly ServiceCidr Cidr = new("kubernetes", Prefixes("10.96.0.0/16 fd00:10:96::/112"));
    private static readonly Node Here = new(ThisNode) { Addresses = Addresses(NodeAddress), PodCidrs = Prefixes("10.244.1.0/24") };
    private static readonly DesiredStateOptions Options = new()
    {
        NodeName = ThisNode,
        ApiServers = [new ApiServerEndpoint(Address.Parse(ApiServer), 6443)],
    };

    private readonly ClusterStateWriter _writer = OpenWriter();
    private readonly DesiredState _desired = new(Options);

    [Theory]
    [InlineData(NodeAddress, RefusalCause.Node)]
    [InlineData(ApiServer, RefusalCause.ApiServer)]
    [InlineData("10.96.0.99", RefusalCause.Service)]
    [InlineData("10.244.1.11", RefusalCause.Pod)]
    [InlineData("203.0.113.20", null)]
    [InlineData("10.96.0.1", null)] // its own cluster IP
    public void S198_An_external_IP_that_would_take_the_traffic_of_others_is_refused(string address, RefusalCause? expected)
    {
        var service = Service("default/web", "10.96.0.1") with { ExternalIPs = Addresses(address) };
        var changes = Update(Change(Here, service), Cidr);
        Assert.Equal(expected, _desired.Refusals.SingleOrDefault()?.Cause);
        Assert.Equal(expected is null, changes.Refusals is null);
        Assert.Equal(expected is null, Frontends(service).Contains($"{address}:80/TCP"));
        Assert.Contains("10.96.0.1:80/TCP", Frontends(service));
    }

    [Theory]
    [InlineData(NodeAddress, 80, null)]
    [InlineData(NodeAddress, 22, RefusalCause.NodeItself)]
    [InlineData(NodeAddress, 10250, RefusalCause.NodeItself)]
    [InlineData(NodeAddress, 10256, RefusalCause.NodeItself)]
    [InlineData(ApiServer, 80, null)]
    [InlineData(ApiServer, 6443, RefusalCause.ApiServer)]
    [InlineData("10.96.0.99", 80, RefusalCause.Service)]
    [InlineData("10.244.1.11", 80, RefusalCause.Pod)]
    public void S198_A_load_balancer_address_may_be_the_nodes_but_for_what_the_node_itself_serves(
        string address, int port, RefusalCause? expected)
    {
        var service = Service("default/web", "10.96.0.1", Http with { Port = (ushort)port }) with { LoadBalancerIPs = Addresses(address) };
        Update(Change(Here, service), Cidr);
        Assert.Equal(expected, _desired.Refusals.SingleOrDefault()?.Cause);
        Assert.Equal(expected is null, Frontends(service).Contains($"{address}:{port}/TCP"));
    }

    [Fact]
    public void S198_With_the_option_addresses_of_nodes_are_served_and_those_of_API_servers_at_their_port_are_not()
    {
        var desired = new DesiredState(Options with { AllowNodeExternalIPs = true });
        ServicePort[] ports = [Http, Http with { Name = "api", Port = 6443 }, Http with { Name = "ssh", Port = 22 }];
        var service = Service("default/web", "10.96.0.1", ports) with
        {
            ExternalIPs = Addresses(NodeAddress, ApiServer),
            LoadBalancerIPs = Addresses(NodeAddress),
        };
        _writer.Apply(Change(Here, service));
        var delta = _writer.Take();
        desired.Update(delta.State, delta.Dirty);
        Assert.Equal([$"{ApiServer}:6443/TCP"], desired.Refusals.Select(refusal => refusal.Frontend.ToString()));
    }

    [Fact]
    public void S198_Endpoints_of_the_API_service_are_API_servers()
    {
        var service = Service("default/web", "10.96.0.1") with { ExternalIPs = Addresses("192.0.2.77") };
        Assert.Null(Update(Change(service)).Refusals);
        var slice = new EndpointSlice
        {
            Name = Name("default/kubernetes"),
            Service = Name("default/kubernetes"),
            Family = AddressFamily.IPv4,
            Ports = [new EndpointPort("https", Protocol.Tcp, 6443)],
            Endpoints = [new Endpoint { Address = Address.Parse("192.0.2.77") }],
        };
        Assert.Equal(RefusalCause.ApiServer, Assert.Single(Update(new ClusterChange { UpsertedSlices = [slice] }).Refusals!).Cause);
        Assert.DoesNotContain("192.0.2.77:80/TCP", Frontends(service));
    }

    [Fact]
    public void S198_What_is_known_of_the_node_and_the_cluster_is_followed()
    {
        var service = Service("default/web", "10.96.0.1") with { ExternalIPs = Addresses(NodeAddress, "10.97.0.1") };
        var other = Service("default/other", "10.96.0.2");
        Assert.Null(Update(Change(service, other)).Refusals);
        Assert.Equal(3, Frontends(service).Length);

        var changes = Update(Change(Here), new ServiceCidr("more", Prefixes("10.97.0.0/16")));
        Assert.Equal([RefusalCause.Service, RefusalCause.Node], changes.Refusals!.Select(refusal => refusal.Cause));
        Assert.Equal(["default/web"], changes.Upserted.Select(upserted => upserted.Name.ToString()));
        Assert.Equal(["10.96.0.1:80/TCP"], Frontends(service));
        Assert.True(Update(new ClusterChange()).IsEmpty);

        changes = Update(new ClusterChange { RemovedServiceCidrs = ["more"] });
        Assert.Equal([RefusalCause.Node], changes.Refusals!.Select(refusal => refusal.Cause));
        Assert.Empty(Update(new ClusterChange { RemovedServices = [service.Name] }).Refusals!);
    }

    [Fact]
    public void S198_A_cluster_IP_is_its_services_however_old_another_is_that_asks_for_it()
    {
        var victim = Service("default/victim", "10.96.0.2") with { CreatedAt = Time(2) };
        var older = Service("default/a", "10.96.0.1") with { CreatedAt = Time(1), ExternalIPs = Addresses("10.96.0.2") };
        // Nothing is known of service CIDRs.
        Update(Change(older, victim));
        var conflict = Assert.Single(_desired.Conflicts);
        Assert.Equal((victim.Name, true), (conflict.Winner.Service, conflict.IsClusterIP));
        Assert.Contains("10.96.0.2:80/TCP", Frontends(victim));
        Assert.DoesNotContain("10.96.0.2:80/TCP", Frontends(older));
    }

    private string[] Frontends(Service service) =>
        [.. _desired.Services[service.Name].Ports.SelectMany(port => port.Frontends).Select(frontend => frontend.Key.ToString())];

    private DesiredChanges Update(ClusterChange change, params ServiceCidr[] cidrs)
    {
        _writer.Apply(change with { UpsertedServiceCidrs = [.. cidrs] });
        var delta = _writer.Take();
        return _desired.Update(delta.State, delta.Dirty);
    }
}
