// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.State;
using static EbpfLb.LoadBalancing.Tests.Objects;

namespace EbpfLb.LoadBalancing.Tests.Desired;

/// <summary>NodePorts, load balancer addresses and external IPs.</summary>
public sealed class ExternalFrontendTests
{
    private static readonly DesiredStateOptions Options = new() { NodeName = ThisNode };
    private static readonly Service Web = Service("default/web", "10.96.0.1", Http with { NodePort = 30080 });
    private static readonly Service Balanced = Service("default/web", "10.96.0.1") with { LoadBalancerIPs = Addresses("198.51.100.1") };
    private readonly ClusterStateWriter _writer = OpenWriter();
    private readonly DesiredState _desired = new(Options);

    [Fact]
    public void A_node_port_is_one_frontend_of_the_unspecified_address_for_each_family_of_the_service()
    {
        Update(Change(Web with { ClusterIPs = Addresses("10.96.0.1", "fd00:10:96::1") }));
        Assert.Equal(
            [
                ("0.0.0.0:30080/TCP", FrontendKind.NodePort), ("10.96.0.1:80/TCP", FrontendKind.ClusterIP),
                ("[::]:30080/TCP", FrontendKind.NodePort), ("[fd00:10:96::1]:80/TCP", FrontendKind.ClusterIP),
            ],
            Frontends(Web));
    }

    [Fact]
    public void Load_balancer_addresses_and_external_IPs_have_the_service_port()
    {
        Update(Change(Balanced with { ExternalIPs = Addresses("203.0.113.20") }));
        Assert.Equal(
            [
                ("10.96.0.1:80/TCP", FrontendKind.ClusterIP), ("198.51.100.1:80/TCP", FrontendKind.LoadBalancer),
                ("203.0.113.20:80/TCP", FrontendKind.ExternalIP),
            ],
            Frontends(Web));
    }

    [Fact]
    public void An_address_that_is_several_things_is_one_frontend()
    {
        Update(Change(Balanced with { ExternalIPs = Addresses("198.51.100.1", "10.96.0.1") }));
        Assert.Equal(
            [
                ("10.96.0.1:80/TCP", FrontendKind.ClusterIP | FrontendKind.ExternalIP),
                ("198.51.100.1:80/TCP", FrontendKind.LoadBalancer | FrontendKind.ExternalIP),
            ],
            Frontends(Web));
        Assert.Empty(_desired.Conflicts);
    }

    [Fact]
    public void A_family_without_a_cluster_IP_has_no_frontends()
    {
        Update(Change(Web with { LoadBalancerIPs = Addresses("2001:db8::1"), ExternalIPs = Addresses("2001:db8::2") }));
        Assert.Equal(["0.0.0.0:30080/TCP", "10.96.0.1:80/TCP"], Frontends(Web).Select(static frontend => frontend.Address));
    }

    [Fact]
    public void S157_Of_two_services_with_one_node_port_the_older_has_it()
    {
        var other = Service("default/another", "10.96.0.2", Http with { NodePort = 30080 }) with { CreatedAt = Time(1) };
        Update(Change(other, Web));
        var conflict = Assert.Single(_desired.Conflicts);
        Assert.Equal(("0.0.0.0:30080/TCP", Web.Name), (conflict.Frontend.ToString(), conflict.Winner.Service));
        Update(new ClusterChange { RemovedServices = [Web.Name] });
        Assert.Contains(("0.0.0.0:30080/TCP", FrontendKind.NodePort), Frontends(other));
    }

    [Fact]
    public void A_node_port_of_another_protocol_or_family_is_no_conflict()
    {
        Update(Change(
            Web,
            Service("default/udp", "10.96.0.2", new ServicePort("dns", Protocol.Udp, 53, 30080)),
            Service("default/six", "fd00:10:96::1", Http with { NodePort = 30080 })));
        Assert.Empty(_desired.Conflicts);
    }

    [Fact]
    public void S23_An_external_IP_belongs_to_the_oldest_service_whichever_came_first()
    {
        Service[] services =
        [
            Service("default/a", "10.96.0.2") with { ExternalIPs = Addresses("203.0.113.20"), CreatedAt = Time(2) },
            Service("default/b", "10.96.0.3") with { ExternalIPs = Addresses("203.0.113.20"), CreatedAt = Time(1) },
        ];
        foreach (var order in new[] { services, [.. services.Reverse()] })
        {
            var (writer, desired) = (OpenWriter(), new DesiredState(Options));
            foreach (var service in order)
            {
                writer.Apply(Change(service));
                var delta = writer.Take();
                desired.Update(delta.State, delta.Dirty);
            }

            Assert.Equal(Name("default/b"), Assert.Single(desired.Conflicts).Winner.Service);
        }
    }

    [Theory]
    [InlineData(30080, null, null, Algorithm.Maglev)]
    [InlineData(0, "198.51.100.1", null, Algorithm.Maglev)]
    [InlineData(0, null, "203.0.113.20", Algorithm.Maglev)]
    [InlineData(0, null, "2001:db8::1", Algorithm.Random)] // no frontend of this family
    [InlineData(0, null, null, Algorithm.Random)]
    public void What_can_be_dialled_from_outside_uses_Maglev_unless_somebody_says_otherwise(
        int nodePort, string? balancer, string? external, Algorithm expected)
    {
        var service = Service("default/web", "10.96.0.1", Http with { NodePort = (ushort)nodePort }) with
        {
            LoadBalancerIPs = balancer is null ? default : Addresses(balancer),
            ExternalIPs = external is null ? default : Addresses(external),
        };
        Update(Change(service));
        Assert.Equal(expected, Port(service).Algorithm);
        Assert.Equal(Algorithm.Random, AlgorithmOf(service, Options with { DefaultAlgorithm = Algorithm.Random }));
        Assert.Equal(Algorithm.Random, AlgorithmOf(service with { Algorithm = Algorithm.Random }, Options));
        Assert.Equal(Algorithm.Maglev, AlgorithmOf(service, Options with { DefaultAlgorithm = Algorithm.Maglev }));
    }

    [Fact]
    public void Policy_Local_of_an_external_service_has_both_lists_each_with_its_own_fallback()
    {
        Update(Change(
            Web with { ExternalTrafficPolicy = TrafficPolicy.Local },
            Slice("default/web-1", "default/web", Terminating("10.244.0.1", ThisNode), Ready("10.244.0.2", OtherNode))));
        Assert.Equal(
            [
                Backend("10.244.0.1", flags: BackendFlags.InLocal | BackendFlags.OnNode | BackendFlags.Terminating),
                Backend("10.244.0.2"),
            ],
            Port(Web).Backends);
    }

    [Theory]
    [InlineData("192.0.2.0/28", "192.0.2.0/28")]
    [InlineData("192.0.2.0/28 10.0.0.0/8 192.0.2.0/28", "10.0.0.0/8 192.0.2.0/28")]
    [InlineData("192.0.2.0/28 0.0.0.0/0", "")]
    [InlineData("2001:db8::/32", "")]
    [InlineData("2001:db8::/32 192.0.2.0/28", "192.0.2.0/28")]
    [InlineData("::/0 192.0.2.0/28", "192.0.2.0/28")]
    [InlineData("", "")]
    public void Source_ranges_are_those_of_the_family_and_none_when_one_is_everything(string ranges, string expected)
    {
        Update(Change(Balanced with { LoadBalancerSourceRanges = Prefixes(ranges) }));
        Assert.Equal(Prefixes(expected), Port(Web).SourceRanges);
    }

    [Fact]
    public void Source_ranges_mean_nothing_without_a_load_balancer_address()
    {
        Update(Change(Web with { ExternalIPs = Addresses("203.0.113.20"), LoadBalancerSourceRanges = Prefixes("192.0.2.0/28") }));
        Assert.True(Port(Web).SourceRanges.IsEmpty);
    }

    [Theory]
    [InlineData("10.0.0.0/8", "10.10.0.1", "10.244.1.0/24", true, true)]
    [InlineData("10.10.0.0/16", "10.10.0.1", "10.244.1.0/24", true, false)]
    [InlineData("10.244.1.0/25 10.244.1.128/25", "10.10.0.1", "10.244.1.0/24", false, false)]
    [InlineData("10.244.0.0/16", "2001:db8::1", "10.244.1.0/24 10.245.1.0/24", false, false)]
    [InlineData("10.244.0.0/16", "10.10.0.1 10.244.9.9", "10.244.1.0/24 fd00::/64", true, true)]
    [InlineData("10.0.0.0/8", "", "", false, false)]
    public void What_ranges_say_of_the_node_and_its_pods_depends_on_what_is_known_of_it(
        string ranges, string addresses, string podCidrs, bool admitsNode, bool admitsPods)
    {
        var service = Balanced with { LoadBalancerSourceRanges = Prefixes(ranges) };
        var known = Addresses(addresses.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        // From the Node object.
        Update(Change(service, new Node(ThisNode) { Addresses = known, PodCidrs = Prefixes(podCidrs) }));
        Check(_desired);

        // From the agent itself.
        var desired = new DesiredState(Options) { NodeFacts = new NodeFacts(known, Prefixes(podCidrs)) };
        desired.Update(StateOf(service), [service.Name]);
        Check(desired);

        void Check(DesiredState state)
        {
            var port = state.Services[service.Name].Ports[0];
            Assert.Equal((admitsNode, admitsPods), (port.AdmitsNode, port.AdmitsPods));

            // Where the node is admitted, so is what it sends to the load balancer address and gets back.
            var expected = admitsNode ? Prefixes(ranges).Append(AddressPrefix.Parse("198.51.100.1/32")).Order() : Prefixes(ranges).Order();
            Assert.Equal(expected, port.SourceRanges);
        }
    }

    [Fact]
    public void What_the_agent_learns_of_the_node_changes_services_with_source_ranges_and_no_others()
    {
        var restricted = Balanced with { LoadBalancerSourceRanges = Prefixes("10.10.0.0/16") };
        var other = Service("default/other", "10.96.0.2");
        Update(Change(restricted, other));
        _desired.NodeFacts = new NodeFacts(Addresses("10.10.0.1"), default);
        Assert.Equal([restricted.Name], Update(new ClusterChange()).Upserted.Select(static service => service.Name));
        Assert.True(Port(restricted).AdmitsNode);
        Assert.True(Update(new ClusterChange()).IsEmpty);

        // Ranges that went make it one of the others.
        Update(Change(Balanced));
        _desired.NodeFacts = NodeFacts.None;
        Assert.Empty(Update(new ClusterChange()).Upserted);
    }

    [Fact]
    public void The_node_object_of_another_node_says_nothing_of_this_one()
    {
        var restricted = Balanced with { LoadBalancerSourceRanges = Prefixes("10.10.0.0/16") };
        Update(Change(restricted, new Node(OtherNode) { Addresses = Addresses("10.10.0.1") }));
        Assert.False(Port(restricted).AdmitsNode);
    }

    [Fact]
    public void Service_CIDRs_are_told_when_they_change()
    {
        Assert.Null(Update(Change(Web)).ServiceCidrs);
        var both = Update(new ClusterChange
        {
            UpsertedServiceCidrs =
            [
                new ServiceCidr("kubernetes", Prefixes("fd00:10:96::/112 10.96.0.0/16")), new ServiceCidr("more", Prefixes("10.96.0.0/16")),
            ],
        });
        Assert.Equal(Prefixes("10.96.0.0/16 fd00:10:96::/112"), both.ServiceCidrs);
        Assert.False(both.IsEmpty);
        Assert.Null(Update(new ClusterChange { RemovedServiceCidrs = ["more"] }).ServiceCidrs);
        Assert.Equal(Prefixes(""), Update(new ClusterChange { RemovedServiceCidrs = ["kubernetes"] }).ServiceCidrs);
    }

    [Fact]
    public void A_service_CIDR_that_holds_an_address_of_this_node_is_not_desired_while_it_does()
    {
        _desired.NodeFacts = new NodeFacts(Addresses("10.96.7.7", "10.96.3.3", "192.0.2.1"), default);
        var changes = Update(new ClusterChange
        {
            UpsertedServiceCidrs = [new ServiceCidr("kubernetes", Prefixes("10.96.0.0/16 10.97.0.0/16 fd00:10:96::/112"))],
        });
        Assert.Equal(Prefixes("10.97.0.0/16 fd00:10:96::/112"), changes.ServiceCidrs);
        var conflict = new ServiceCidrConflict(AddressPrefix.Parse("10.96.0.0/16"), Address.Parse("10.96.3.3"));
        Assert.Equal([conflict], changes.ServiceCidrConflicts);
        Assert.Equal([conflict], _desired.ServiceCidrConflicts);
        Assert.True(Update(new ClusterChange()).IsEmpty);

        // Without any change of an object, and also by what the Node object says.
        _desired.NodeFacts = NodeFacts.None;
        changes = Update(new ClusterChange());
        Assert.Equal(Prefixes("10.96.0.0/16 10.97.0.0/16 fd00:10:96::/112"), changes.ServiceCidrs);
        Assert.Empty(changes.ServiceCidrConflicts!);
        changes = Update(Change(new Node(ThisNode) { Addresses = Addresses("fd00:10:96::5") }));
        Assert.Equal(Prefixes("10.96.0.0/16 10.97.0.0/16"), changes.ServiceCidrs);
        Assert.Equal("fd00:10:96::5", Assert.Single(_desired.ServiceCidrConflicts).NodeAddress.ToString());
    }

    [Fact]
    public void The_only_service_CIDR_is_told_of_although_none_is_desired()
    {
        _desired.NodeFacts = new NodeFacts(Addresses("10.96.7.7"), default);
        var changes = Update(new ClusterChange { UpsertedServiceCidrs = [new ServiceCidr("kubernetes", Prefixes("10.96.0.0/16"))] });
        Assert.Null(changes.ServiceCidrs);
        Assert.False(changes.IsEmpty);
        Assert.Single(changes.ServiceCidrConflicts!);
    }

    private static Algorithm AlgorithmOf(Service service, DesiredStateOptions options) =>
        FromScratch(StateOf(service), options).Services[service.Name].Ports[0].Algorithm;

    private IEnumerable<(string Address, FrontendKind Kind)> Frontends(Service service) =>
        from port in _desired.Services[service.Name].Ports
        from frontend in (IEnumerable<Frontend>)port.Frontends
        select (frontend.Key.ToString(), frontend.Kind);

    private DesiredPort Port(Service service) => Assert.Single(_desired.Services[service.Name].Ports);

    private DesiredChanges Update(ClusterChange change)
    {
        _writer.Apply(change);
        var delta = _writer.Take();
        return _desired.Update(delta.State, delta.Dirty);
    }
}
