// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Objects;
using EbpfLb.Kubernetes.Translation;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Kubernetes.Tests.Translation;

public sealed class EndpointSliceTranslationTests
{
    private readonly ProblemList _problems = new();

    [Fact]
    public void Slice_with_every_field_keeps_them_all()
    {
        var slice = EndpointSliceTranslation.Translate(
            new EndpointSliceObject
            {
                Metadata = Meta("shop"),
                AddressType = "IPv4",
                Ports = [new SlicePortSpec { Name = "http", Protocol = "TCP", Port = 8080 }],
                Endpoints =
                [
                    new EndpointSpec
                    {
                        Addresses = ["10.244.1.11", "10.244.1.99"],
                        Ready = false,
                        Serving = true,
                        Terminating = true,
                        NodeName = "node-1",
                        ForZones = ["zone-a", "zone-b"],
                        ForNodes = ["node-1"],
                    },
                ],
            },
            _problems);

        Assert.Equal(
            new EndpointSlice
            {
                Name = new ObjectName("shop", "web-1"),
                Service = new ObjectName("shop", "web"),
                Family = AddressFamily.IPv4,
                Ports = [new EndpointPort("http", Protocol.Tcp, 8080)],
                Endpoints =
                [
                    new Endpoint
                    {
                        Address = Address.Parse("10.244.1.11"),
                        Ready = false,
                        Serving = true,
                        Terminating = true,
                        NodeName = "node-1",
                        ZoneHints = ["zone-a", "zone-b"],
                        NodeHints = ["node-1"],
                    },
                ],
            },
            slice);
        Assert.Empty(_problems.Kept);
    }

    [Theory]
    [InlineData(253, 63, null)]
    [InlineData(254, 63, "metadata.name")]
    [InlineData(253, 64, "metadata.labels[kubernetes.io/service-name]")]
    public void Slice_name_has_253_characters_at_most_and_the_name_of_its_service_63(int name, int service, string? problem)
    {
        var metadata = new ObjectMeta
        {
            Name = new string('a', name),
            Labels = new Dictionary<string, string> { [WellKnown.ServiceNameLabel] = new string('s', service) },
        };
        var slice = EndpointSliceTranslation.Translate(new EndpointSliceObject { Metadata = metadata, AddressType = "IPv4" }, _problems);

        Assert.Equal(problem is null, slice is not null);
        Assert.Equal(problem, _problems.Kept.SingleOrDefault()?.FieldPath);
    }

    [Fact]
    public void Endpoint_without_conditions_is_ready_and_serving_and_not_terminating()
    {
        var endpoint = Assert.Single(Translate("IPv4", "10.244.1.11")!.Endpoints);

        Assert.Equal((true, true, false), (endpoint.Ready, endpoint.Serving, endpoint.Terminating));
    }

    [Fact]
    public void S26_headless_slice_is_passed_over_without_a_word()
    {
        var metadata = new ObjectMeta
        {
            Name = "web-1",
            Labels = new Dictionary<string, string> { [WellKnown.ServiceNameLabel] = "web", [WellKnown.HeadlessLabel] = "" },
        };

        Assert.Null(EndpointSliceTranslation.Translate(new EndpointSliceObject { Metadata = metadata, AddressType = "IPv4" }, _problems));
        Assert.Empty(_problems.Kept);
    }

    [Theory]
    [InlineData(null, Severity.Ignored)]
    [InlineData("", Severity.Ignored)]
    [InlineData("We b", Severity.Invalid)]
    public void Slice_that_names_no_service_is_told_and_left_out(string? service, Severity severity)
    {
        var labels = service is null ? null : new Dictionary<string, string> { [WellKnown.ServiceNameLabel] = service };
        var metadata = new ObjectMeta { Name = "web-1", Labels = labels };

        Assert.Null(EndpointSliceTranslation.Translate(new EndpointSliceObject { Metadata = metadata, AddressType = "IPv4" }, _problems));
        Assert.Equal((severity, $"metadata.labels[{WellKnown.ServiceNameLabel}]"), Only());
    }

    [Theory]
    [InlineData("FQDN", Severity.Ignored)]
    [InlineData("IPv7", Severity.Ignored)]
    [InlineData(null, Severity.Invalid)]
    [InlineData("", Severity.Invalid)]
    public void S156_slice_of_an_address_type_that_is_not_served_is_told_and_left_out(string? addressType, Severity severity)
    {
        Assert.Null(Translate(addressType, "web.example.com"));
        Assert.Equal((severity, "addressType"), Only());
    }

    [Theory]
    [InlineData("IPv4", "127.0.0.1")]
    [InlineData("IPv4", "127.8.8.8")]
    [InlineData("IPv4", "169.254.169.254")]
    [InlineData("IPv4", "224.0.0.1")]
    [InlineData("IPv4", "255.255.255.255")]
    [InlineData("IPv4", "0.0.0.0")]
    [InlineData("IPv4", "fd00::1")]
    [InlineData("IPv4", "web.example.com")]
    [InlineData("IPv4", "")]
    [InlineData("IPv6", "10.244.1.12")]
    [InlineData("IPv6", "::1")]
    [InlineData("IPv6", "::")]
    [InlineData("IPv6", "fe80::1")]
    [InlineData("IPv6", "febf::1")]
    [InlineData("IPv6", "ff02::1")]
    [InlineData("IPv6", "::ffff:10.244.1.12")]
    public void S156_endpoint_with_an_address_that_no_pod_has_is_refused_and_the_others_stay(string addressType, string address)
    {
        string good = addressType == "IPv4" ? "10.244.1.11" : "fd00:10:244:1::11";
        var slice = Translate(addressType, address, good);

        Assert.Equal(good, Assert.Single(slice!.Endpoints).Address.ToString());
        Assert.Equal((Severity.Invalid, "endpoints[0].addresses[0]"), Only());
    }

    [Fact]
    public void Endpoint_without_an_address_is_refused()
    {
        var slice = EndpointSliceTranslation.Translate(
            new EndpointSliceObject { Metadata = Meta(), AddressType = "IPv4", Endpoints = [new(), new() { Addresses = [] }] }, _problems);

        Assert.True(slice!.Endpoints.IsEmpty);
        Assert.Equal(["endpoints[0].addresses", "endpoints[1].addresses"], _problems.Kept.Select(problem => problem.FieldPath));
    }

    [Theory]
    [InlineData(null, Severity.Ignored)]
    [InlineData(0, Severity.Ignored)]
    [InlineData(-1, Severity.Invalid)]
    [InlineData(65536, Severity.Invalid)]
    public void S155_slice_port_that_is_none_is_left_out_and_the_others_stay(int? port, Severity severity)
    {
        var slice = TranslatePorts(new SlicePortSpec { Name = "a", Port = port }, new SlicePortSpec { Name = "b", Port = 8080 });

        Assert.Equal([new EndpointPort("b", Protocol.Tcp, 8080)], slice.Ports);
        Assert.Equal((severity, "ports[0].port"), Only());
    }

    [Fact]
    public void S155_slice_port_of_an_unknown_protocol_is_refused()
    {
        Assert.True(TranslatePorts(new SlicePortSpec { Protocol = "QUIC", Port = 8080 }).Ports.IsEmpty);
        Assert.Equal((Severity.Invalid, "ports[0].protocol"), Only());
    }

    [Theory]
    [InlineData("a", "a")]
    [InlineData(null, "")]
    public void Second_slice_port_of_a_name_is_refused(string? first, string? second)
    {
        Assert.Single(TranslatePorts(new SlicePortSpec { Name = first, Port = 1 }, new SlicePortSpec { Name = second, Port = 2 }).Ports);
        Assert.Equal((Severity.Invalid, "ports[1].name"), Only());
    }

    [Fact]
    public void Empty_hint_and_a_node_name_that_is_none_are_refused_and_the_endpoint_stays()
    {
        var slice = EndpointSliceTranslation.Translate(
            new EndpointSliceObject
            {
                Metadata = Meta(),
                AddressType = "IPv4",
                Endpoints = [new EndpointSpec { Addresses = ["10.244.1.11"], NodeName = "No de", ForZones = ["", "zone-a"] }],
            },
            _problems);

        var endpoint = Assert.Single(slice!.Endpoints);
        Assert.Equal((null, "zone-a"), (endpoint.NodeName, Assert.Single(endpoint.ZoneHints)));
        Assert.Equal(["endpoints[0].nodeName", "endpoints[0].hints.forZones[0].name"], _problems.Kept.Select(problem => problem.FieldPath));
    }

    [Theory]
    [InlineData("zone-a", "zone-a")]
    [InlineData("", null)]
    [InlineData(null, null)]
    public void S161_zone_of_a_node_is_its_label(string? label, string? expected)
    {
        var labels = label is null ? null : new Dictionary<string, string> { [WellKnown.ZoneLabel] = label };
        var node = new NodeObject { Metadata = new ObjectMeta { Name = "node-1", Labels = labels } };

        Assert.Equal(new Node("node-1", expected), NodeTranslation.Translate(node, _problems));
        Assert.Empty(_problems.Kept);
    }

    [Fact]
    public void Node_without_a_name_is_refused()
    {
        Assert.Null(NodeTranslation.Translate(new NodeObject(), _problems));
        Assert.Equal((Severity.Invalid, "metadata.name"), Only());
    }

    private static ObjectMeta Meta(string? objectNamespace = null) => new()
    {
        Namespace = objectNamespace,
        Name = "web-1",
        Labels = new Dictionary<string, string> { [WellKnown.ServiceNameLabel] = "web" },
    };

    private EndpointSlice? Translate(string? addressType, params string[] addresses) => EndpointSliceTranslation.Translate(
        new EndpointSliceObject
        {
            Metadata = Meta(),
            AddressType = addressType,
            Endpoints = [.. addresses.Select(address => new EndpointSpec { Addresses = [address] })],
        },
        _problems);

    private EndpointSlice TranslatePorts(params SlicePortSpec[] ports) => EndpointSliceTranslation.Translate(
        new EndpointSliceObject { Metadata = Meta(), AddressType = "IPv4", Ports = ports }, _problems)!;

    private (Severity Severity, string Path) Only()
    {
        var problem = Assert.Single(_problems.Kept);
        return (problem.Severity, problem.FieldPath);
    }
}
