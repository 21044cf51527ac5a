// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Objects;
using EbpfLb.Kubernetes.Translation;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Kubernetes.Tests.Translation;

/// <summary>What makes a service reachable from outside, and what the node and the cluster say of their networks.</summary>
public sealed class ExternalFieldsTests
{
    private readonly ProblemList _problems = new();

    [Theory]
    [InlineData("NodePort", 30080)]
    [InlineData("LoadBalancer", 30080)]
    [InlineData("ClusterIP", 0)]
    [InlineData(null, 0)]
    [InlineData("Cluster", 0)]
    public void Node_port_is_kept_of_the_types_that_have_one(string? type, int expected)
    {
        var service = Translate(new ServiceSpec { Type = type, Ports = [new ServicePortSpec { Port = 80, NodePort = 30080 }] });
        Assert.Equal(expected, Assert.Single(service.Ports).NodePort);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(0)]
    public void S20_port_without_a_node_port_has_none(int? nodePort)
    {
        var service = Translate(
            new ServiceSpec { Type = "LoadBalancer", Ports = [new ServicePortSpec { Port = 80, NodePort = nodePort }] });
        Assert.Equal(0, Assert.Single(service.Ports).NodePort);
        Assert.Empty(_problems.Kept);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(65536)]
    public void Node_port_that_is_no_port_is_told_and_the_port_served_without_it(int nodePort)
    {
        var service = Translate(new ServiceSpec { Type = "NodePort", Ports = [new ServicePortSpec { Port = 80, NodePort = nodePort }] });
        Assert.Equal(0, Assert.Single(service.Ports).NodePort);
        Assert.Equal((Severity.Invalid, "spec.ports[0].nodePort"), Only());
    }

    [Fact]
    public void Node_port_of_two_ports_is_the_first_ones_unless_they_are_of_two_protocols()
    {
        var service = Translate(new ServiceSpec
        {
            Type = "NodePort",
            Ports =
            [
                new ServicePortSpec { Name = "a", Port = 53, NodePort = 30053 },
                new ServicePortSpec { Name = "b", Port = 53, NodePort = 30053, Protocol = "UDP" },
                new ServicePortSpec { Name = "c", Port = 54, NodePort = 30053 },
            ],
        });
        Assert.Equal([30053, 30053, 0], service.Ports.Select(port => (int)port.NodePort));
        Assert.Equal((Severity.Invalid, "spec.ports[2].nodePort"), Only());
    }

    [Theory]
    [InlineData("198.51.100.1", null, true)]
    [InlineData("198.51.100.1", "VIP", true)]
    [InlineData("198.51.100.1", "Proxy", false)]
    [InlineData(null, null, false)]
    [InlineData("", "VIP", false)]
    public void S19_load_balancer_address_is_served_unless_its_mode_is_Proxy(string? address, string? mode, bool served)
    {
        Assert.Equal(served, !Balanced("LoadBalancer", new LoadBalancerIngress { IP = address, IPMode = mode }).LoadBalancerIPs.IsEmpty);
        Assert.Empty(_problems.Kept);
    }

    [Fact]
    public void Load_balancer_address_of_an_unknown_mode_is_told_and_not_served()
    {
        Assert.True(Balanced("LoadBalancer", new LoadBalancerIngress { IP = "198.51.100.1", IPMode = "DSR" }).LoadBalancerIPs.IsEmpty);
        Assert.Equal((Severity.Ignored, "status.loadBalancer.ingress[0].ipMode"), Only());
    }

    [Theory]
    [InlineData("ClusterIP")]
    [InlineData("NodePort")]
    [InlineData(null)]
    public void S27_load_balancer_address_that_an_earlier_type_left_is_not_served(string? type) =>
        Assert.True(Balanced(type, new LoadBalancerIngress { IP = "198.51.100.1" }).LoadBalancerIPs.IsEmpty);

    [Theory]
    [InlineData("abc")]
    [InlineData("198.51.100.0/24")]
    [InlineData("0.0.0.0")]
    [InlineData("127.0.0.1")]
    [InlineData("169.254.169.254")]
    [InlineData("224.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("fe80::1")]
    [InlineData("ff02::1")]
    [InlineData("::ffff:198.51.100.1")]
    public void External_address_that_is_none_is_told_and_the_others_served(string address)
    {
        var service = Translate(new ServiceSpec { ExternalIPs = [address, "203.0.113.20"] });
        Assert.Equal([Address.Parse("203.0.113.20")], service.ExternalIPs);
        Assert.Equal((Severity.Invalid, "spec.externalIPs[0]"), Only());

        var balanced = Balanced(
            "LoadBalancer", new LoadBalancerIngress { IP = "203.0.113.20" }, new LoadBalancerIngress { IP = address });
        Assert.Equal([Address.Parse("203.0.113.20")], balanced.LoadBalancerIPs);
        Assert.Equal("status.loadBalancer.ingress[1].ip", _problems.Kept[1].FieldPath);
    }

    [Fact]
    public void External_address_of_a_family_that_the_service_does_not_have_is_told()
    {
        Assert.True(Translate(new ServiceSpec { ExternalIPs = ["2001:db8::1"] }).ExternalIPs.IsEmpty);
        Assert.Equal((Severity.Ignored, "spec.externalIPs[0]"), Only());
    }

    [Fact]
    public void External_address_that_stands_twice_is_one() =>
        Assert.Single(Translate(new ServiceSpec { ExternalIPs = ["203.0.113.20", "203.0.113.020"] }).ExternalIPs);

    [Fact]
    public void More_addresses_than_the_limit_are_none_and_the_limit_is_named()
    {
        string[] addresses = [.. Enumerable.Range(1, ServiceTranslation.MaxAddresses + 1).Select(host => $"203.0.113.{host}")];
        Assert.Equal(ServiceTranslation.MaxAddresses, Translate(new ServiceSpec { ExternalIPs = addresses[1..] }).ExternalIPs.Count);
        Assert.True(Translate(new ServiceSpec { ExternalIPs = addresses }).ExternalIPs.IsEmpty);
        LoadBalancerIngress[] ingress = [.. addresses.Select(address => new LoadBalancerIngress { IP = address })];
        Assert.True(Balanced("LoadBalancer", ingress).LoadBalancerIPs.IsEmpty);
        Assert.Equal(["spec.externalIPs", "status.loadBalancer.ingress"], _problems.Kept.Select(problem => problem.FieldPath));
    }

    [Fact]
    public void S21_source_range_may_have_blanks_around_it_and_bits_beyond_its_length()
    {
        var service = Translate(new ServiceSpec { LoadBalancerSourceRanges = [" 192.0.2.0/28", "198.51.100.7/24\t"] });
        Assert.Equal([AddressPrefix.Parse("192.0.2.0/28"), AddressPrefix.Parse("198.51.100.0/24")], service.LoadBalancerSourceRanges);
        Assert.Empty(_problems.Kept);
    }

    [Theory]
    [InlineData("")]
    [InlineData("192.0.2.1")]
    [InlineData("192.0.2.0/33")]
    [InlineData("192.0.2.0 /28")]
    public void Source_range_that_is_none_is_told_and_the_others_count(string range)
    {
        var service = Translate(new ServiceSpec { LoadBalancerSourceRanges = [range, "192.0.2.0/28"] });
        Assert.Equal([AddressPrefix.Parse("192.0.2.0/28")], service.LoadBalancerSourceRanges);
        Assert.Equal((Severity.Invalid, "spec.loadBalancerSourceRanges[0]"), Only());
    }

    [Fact]
    public void Source_ranges_of_the_other_family_only_are_told()
    {
        ServiceTranslation.Translate(
            new ServiceObject
            {
                Metadata = new ObjectMeta { Name = "web" },
                Spec = new ServiceSpec { Type = "LoadBalancer", ClusterIP = "10.96.0.1", LoadBalancerSourceRanges = ["2001:db8::/32"] },
                LoadBalancerIngress = [new LoadBalancerIngress { IP = "198.51.100.1" }],
            },
            _problems);
        Assert.Equal((Severity.Ignored, "spec.loadBalancerSourceRanges"), Only());
        Assert.Equal("no range is of IPv4, so every IPv4 source is admitted", _problems.Kept[0].Message);
    }

    [Fact]
    public void Node_has_its_addresses_and_the_networks_of_its_pods()
    {
        var node = NodeTranslation.Translate(
            new NodeObject
            {
                Metadata = new ObjectMeta { Name = "node1" },
                PodCidr = "10.244.1.0/24",
                PodCidrs = ["10.244.1.0/24", "fd00:10:244:1::/64"],
                Addresses =
                [
                    new NodeAddress { Type = "InternalIP", Address = "10.10.0.1" },
                    new NodeAddress { Type = "Hostname", Address = "node1" },
                    new NodeAddress { Type = "ExternalIP", Address = "2001:db8::1" },
                ],
            },
            _problems);
        Assert.Equal(
            new Node("node1")
            {
                Addresses = [Address.Parse("10.10.0.1"), Address.Parse("2001:db8::1")],
                PodCidrs = [AddressPrefix.Parse("10.244.1.0/24"), AddressPrefix.Parse("fd00:10:244:1::/64")],
            },
            node);
        Assert.Empty(_problems.Kept);
    }

    [Fact]
    public void Node_of_an_old_API_has_one_network_of_pods()
    {
        var node = NodeTranslation.Translate(
            new NodeObject { Metadata = new ObjectMeta { Name = "node1" }, PodCidr = "10.244.1.0/24" }, _problems);
        Assert.Equal([AddressPrefix.Parse("10.244.1.0/24")], node!.PodCidrs);
    }

    [Fact]
    public void Node_with_wrong_values_is_told_and_has_the_right_ones()
    {
        var node = NodeTranslation.Translate(
            new NodeObject
            {
                Metadata = new ObjectMeta { Name = "node1" },
                PodCidrs = ["10.244.1.0", "10.244.1.0/24"],
                Addresses = [new NodeAddress { Type = "InternalIP" }, new NodeAddress { Type = "InternalIP", Address = "10.10.0.1" }],
            },
            _problems);
        Assert.Equal((1, 1), (node!.Addresses.Count, node.PodCidrs.Count));
        Assert.Equal(["status.addresses[0].address", "spec.podCIDRs[0]"], _problems.Kept.Select(problem => problem.FieldPath));
    }

    [Theory]
    [InlineData("10.96.0.0/16", null)]
    [InlineData("fd00:10:96::/112", null)]
    [InlineData("10.96.0.0", "spec.cidrs[0]")]
    [InlineData("0.0.0.0/0", "spec.cidrs[0]")]
    [InlineData("::/0", "spec.cidrs[0]")]
    [InlineData("::/64", "spec.cidrs[0]")]
    [InlineData("::/80", "spec.cidrs[0]")]
    [InlineData("::/81", null)]
    [InlineData("64:ff9b::/64", null)]
    public void Service_CIDR_is_a_network_that_is_not_everything(string text, string? problem)
    {
        var cidr = ServiceCidrTranslation.Translate(
            new ServiceCidrObject { Metadata = new ObjectMeta { Name = "kubernetes" }, Cidrs = [text] }, _problems);
        Assert.Equal(new ServiceCidr("kubernetes", problem is null ? [AddressPrefix.Parse(text)] : default), cidr);
        Assert.Equal(problem, _problems.Kept.SingleOrDefault()?.FieldPath);
    }

    [Fact]
    public void Service_CIDR_without_a_network_is_told()
    {
        ServiceCidrTranslation.Translate(new ServiceCidrObject { Metadata = new ObjectMeta { Name = "kubernetes" } }, _problems);
        Assert.Equal((Severity.Invalid, "spec.cidrs"), Only());
    }

    private static ServiceObject Object(ServiceSpec spec, params LoadBalancerIngress[] ingress) => new()
    {
        Metadata = new ObjectMeta { Name = "web" },
        Spec = new ServiceSpec
        {
            Type = spec.Type,
            ClusterIP = "10.96.0.1",
            Ports = spec.Ports,
            ExternalIPs = spec.ExternalIPs,
            LoadBalancerSourceRanges = spec.LoadBalancerSourceRanges,
        },
        LoadBalancerIngress = ingress,
    };

    private Service Translate(ServiceSpec spec)
    {
        var problems = new ProblemList();
        var service = ServiceTranslation.Translate(Object(spec), problems)!;
        foreach (var problem in problems.Kept.Where(problem => problem.FieldPath != "spec.type"))
        {
            if (problem.Severity == Severity.Invalid)
                _problems.Invalid(problem.FieldPath, problem.Message);
            else
                _problems.Ignored(problem.FieldPath, problem.Message);
        }

        return service;
    }

    private Service Balanced(string? type, params LoadBalancerIngress[] ingress) =>
        ServiceTranslation.Translate(Object(new ServiceSpec { Type = type }, ingress), _problems)!;

    private (Severity, string) Only()
    {
        var problem = Assert.Single(_problems.Kept);
        return (problem.Severity, problem.FieldPath);
    }
}
