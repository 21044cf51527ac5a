// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Objects;
using EbpfLb.Kubernetes.Translation;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Kubernetes.Tests.Translation;

public sealed class ServiceTranslationTests
{
    private readonly ProblemList _problems = new();

    [Fact]
    public void Service_with_every_field_keeps_them_all()
    {
        var created = new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero);
        var service = ServiceTranslation.Translate(
            new ServiceObject
            {
                Metadata = new ObjectMeta
                {
                    Namespace = "shop",
                    Name = "web",
                    CreationTimestamp = created,
                    Annotations = Map((WellKnown.AlgorithmAnnotation, "maglev"), (WellKnown.MaglevTableSizeAnnotation, "1021")),
                },
                Spec = new ServiceSpec
                {
                    Type = "ClusterIP",
                    ClusterIPs = ["10.96.0.15", "fd00:10:96::15"],
                    Ports =
                    [
                        new ServicePortSpec { Name = "http", Protocol = "TCP", Port = 80 },
                        new ServicePortSpec { Name = "dns", Protocol = "UDP", Port = 53 },
                    ],
                    SessionAffinity = "ClientIP",
                    SessionAffinityTimeoutSeconds = 60,
                    InternalTrafficPolicy = "Local",
                    ExternalTrafficPolicy = "Local",
                },
            },
            _problems);

        Assert.Equal(
            new Service
            {
                Name = new ObjectName("shop", "web"),
                CreatedAt = created,
                ClusterIPs = [Address.Parse("10.96.0.15"), Address.Parse("fd00:10:96::15")],
                Ports = [new ServicePort("http", Protocol.Tcp, 80), new ServicePort("dns", Protocol.Udp, 53)],
                AffinityTimeoutSeconds = 60,
                InternalTrafficPolicy = TrafficPolicy.Local,
                ExternalTrafficPolicy = TrafficPolicy.Local,
                Algorithm = Algorithm.Maglev,
                MaglevTableSize = 1021,
            },
            service);
        Assert.Empty(_problems.Kept);
    }

    [Fact]
    public void Service_with_only_what_is_required_gets_the_defaults()
    {
        var service = Translate(new ServiceSpec { ClusterIP = "10.96.0.1", Ports = [new ServicePortSpec { Port = 80 }] });

        Assert.Equal(
            new Service
            {
                Name = new ObjectName("default", "web"),
                ClusterIPs = [Address.Parse("10.96.0.1")],
                Ports = [new ServicePort("", Protocol.Tcp, 80)],
            },
            service);
        Assert.Empty(_problems.Kept);
    }

    public static TheoryData<string, ServiceSpec, ObjectMeta> NotOurs() => new()
    {
        { "clusterIP None", new ServiceSpec { ClusterIP = "None" }, Meta() },
        { "clusterIPs None", new ServiceSpec { ClusterIPs = ["None"] }, Meta() },
        { "ExternalName", new ServiceSpec { Type = "ExternalName", ClusterIP = "10.96.0.1" }, Meta() },
        { "another proxy", new ServiceSpec { ClusterIP = "10.96.0.1" }, Meta((WellKnown.ServiceProxyNameLabel, "other")) },
        { "another proxy of no name", new ServiceSpec { ClusterIP = "10.96.0.1" }, Meta((WellKnown.ServiceProxyNameLabel, "")) },
    };

    [Theory]
    [MemberData(nameof(NotOurs))]
    public void S24_S25_service_that_is_not_for_us_is_passed_over_without_a_word(string what, ServiceSpec spec, ObjectMeta metadata)
    {
        Assert.Null(ServiceTranslation.Translate(new ServiceObject { Metadata = metadata, Spec = spec }, _problems));
        Assert.True(_problems.Kept.Count == 0, what);
    }

    [Fact]
    public void S24_service_without_ports_is_no_error()
    {
        var service = Translate(new ServiceSpec { ClusterIP = "10.96.0.1" });

        Assert.NotNull(service);
        Assert.True(service.Ports.IsEmpty);
        Assert.Empty(_problems.Kept);
    }

    [Fact]
    public void Service_that_carries_the_headless_label_stays_known()
    {
        var metadata = Meta((WellKnown.HeadlessLabel, ""));

        Assert.NotNull(ServiceTranslation.Translate(
            new ServiceObject { Metadata = metadata, Spec = new ServiceSpec { ClusterIP = "10.96.0.1" } }, _problems));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public void Service_without_a_cluster_IP_is_told_and_left_out(string? clusterIP)
    {
        Assert.Null(Translate(new ServiceSpec { ClusterIP = clusterIP }));
        Assert.Equal((Severity.Ignored, "spec.clusterIP"), Only());
    }

    [Fact]
    public void Service_object_without_anything_is_told_and_left_out()
    {
        Assert.Null(ServiceTranslation.Translate(new ServiceObject(), _problems));
        Assert.Equal((Severity.Invalid, "metadata.name"), Only());
    }

    [Theory]
    [InlineData("")]
    [InlineData("Web")]
    [InlineData("web\nx")]
    [InlineData("../web")]
    [InlineData("web_1")]
    [InlineData("-web")]
    [InlineData("web.")]
    public void Service_with_a_name_that_no_API_server_gives_is_refused(string name)
    {
        var metadata = new ObjectMeta { Name = name };

        Assert.Null(ServiceTranslation.Translate(
            new ServiceObject { Metadata = metadata, Spec = new ServiceSpec { ClusterIP = "10.96.0.1" } }, _problems));
        Assert.Equal((Severity.Invalid, "metadata.name"), Only());
    }

    [Theory]
    [InlineData(63, 63, 63, null)]
    [InlineData(64, 1, 1, "metadata.namespace")]
    [InlineData(1, 64, 1, "metadata.name")]
    [InlineData(1, 1, 64, "spec.ports[0].name")]
    public void Namespace_service_and_port_name_have_63_characters_at_most(int space, int name, int port, string? problem)
    {
        var metadata = new ObjectMeta { Namespace = new string('n', space), Name = new string('s', name) };
        var spec = WithPorts(new ServicePortSpec { Name = new string('p', port), Port = 80 });
        var service = ServiceTranslation.Translate(new ServiceObject { Metadata = metadata, Spec = spec }, _problems);

        if (problem is null)
        {
            // The longest name there can be, and its end, fit the map's field.
            string text = $"{service!.Name}:{service.Ports[0].Name}";
            Assert.Equal(191, text.Length);
            Assert.Empty(_problems.Kept);
        }
        else
        {
            Assert.Equal((Severity.Invalid, problem), Only());
        }
    }

    [Theory]
    [InlineData("a.b", "web", "metadata.namespace")]
    [InlineData("1a", "web", null)]
    [InlineData("a", "a.b", "metadata.name")]
    [InlineData("a", "1web", null)]
    public void Names_of_services_and_namespaces_are_labels(string space, string name, string? problem)
    {
        var metadata = new ObjectMeta { Namespace = space, Name = name };
        var service = ServiceTranslation.Translate(
            new ServiceObject { Metadata = metadata, Spec = new ServiceSpec { ClusterIP = "10.96.0.1" } }, _problems);

        Assert.Equal(problem is null, service is not null);
        Assert.Equal(problem, _problems.Kept.SingleOrDefault()?.FieldPath);
    }

    [Fact]
    public void Service_with_more_ports_than_the_limit_gets_none_and_the_limit_is_named()
    {
        ServicePortSpec[] ports =
            [.. Enumerable.Range(1, ServiceTranslation.MaxPorts + 1).Select(i => new ServicePortSpec { Name = $"p{i}", Port = i })];

        Assert.Equal(ServiceTranslation.MaxPorts, Translate(WithPorts(ports[1..]))!.Ports.Count);
        Assert.Empty(_problems.Kept);

        Assert.True(Translate(WithPorts(ports))!.Ports.IsEmpty);
        Assert.Equal((Severity.Invalid, "spec.ports"), Only());
        Assert.Equal("1001 ports are more than the 1000 a service may have; split it into several", _problems.Kept[0].Message);
    }

    [Theory]
    [InlineData("10.96.000.015", "10.96.0.15")]
    [InlineData("fd00:10:96:0::15", "fd00:10:96::15")]
    public void S154_cluster_IP_is_read_as_the_API_reads_it(string text, string expected) =>
        Assert.Equal([Address.Parse(expected)], Translate(new ServiceSpec { ClusterIP = text })!.ClusterIPs);

    [Theory]
    [InlineData("::ffff:10.0.0.1")]
    [InlineData("10.0.0.1/32")]
    [InlineData("abc")]
    [InlineData("300.1.1.1")]
    [InlineData("10.96.0")]
    [InlineData(" 10.96.0.1")]
    [InlineData("fe80::1%eth0")]
    [InlineData("0.0.0.0")]
    [InlineData("::")]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    [InlineData("224.0.0.1")]
    [InlineData("239.255.255.255")]
    [InlineData("255.255.255.255")]
    [InlineData("ff02::1")]
    public void S154_cluster_IP_that_is_no_unicast_address_is_refused(string text)
    {
        Assert.Null(Translate(new ServiceSpec { ClusterIP = text }));
        Assert.Equal((Severity.Invalid, "spec.clusterIP"), Only());
    }

    [Fact]
    public void S154_service_keeps_the_good_cluster_IP_beside_a_bad_one()
    {
        var service = Translate(new ServiceSpec { ClusterIP = "10.96.0.1", ClusterIPs = ["10.96.0.1", "nonsense"] });

        Assert.Equal([Address.Parse("10.96.0.1")], service!.ClusterIPs);
        Assert.Equal((Severity.Invalid, "spec.clusterIPs[1]"), Only());
    }

    [Fact]
    public void The_list_of_cluster_IPs_wins_over_the_single_one() =>
        Assert.Equal([Address.Parse("10.96.0.2")],
            Translate(new ServiceSpec { ClusterIP = "10.96.0.1", ClusterIPs = ["10.96.0.2"] })!.ClusterIPs);

    [Fact]
    public void Empty_list_of_cluster_IPs_leaves_the_single_one() =>
        Assert.Equal([Address.Parse("10.96.0.1")], Translate(new ServiceSpec { ClusterIP = "10.96.0.1", ClusterIPs = [] })!.ClusterIPs);

    [Fact]
    public void Second_cluster_IP_of_a_family_is_refused()
    {
        Assert.Single(Translate(new ServiceSpec { ClusterIPs = ["10.96.0.1", "10.96.0.2"] })!.ClusterIPs);
        Assert.Equal((Severity.Invalid, "spec.clusterIPs[1]"), Only());
    }

    [Theory]
    [InlineData(null)]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(65536)]
    [InlineData(int.MaxValue)]
    public void S155_port_that_is_none_is_refused_and_the_others_stay(int? port)
    {
        var service = Translate(WithPorts(
            new ServicePortSpec { Name = "a", Port = port }, new ServicePortSpec { Name = "b", Port = 65535 }));

        Assert.Equal([new ServicePort("b", Protocol.Tcp, 65535)], service!.Ports);
        Assert.Equal((Severity.Invalid, "spec.ports[0].port"), Only());
    }

    [Theory]
    [InlineData("QUIC")]
    [InlineData("tcp")]
    public void S155_port_of_a_protocol_that_is_none_is_told_and_the_others_stay(string protocol)
    {
        var service = Translate(WithPorts(
            new ServicePortSpec { Name = "a", Protocol = protocol, Port = 80 }, new ServicePortSpec { Name = "b", Port = 81 }));

        Assert.Equal([new ServicePort("b", Protocol.Tcp, 81)], service!.Ports);
        Assert.Equal((Severity.Invalid, "spec.ports[0].protocol"), Only());
    }

    [Fact]
    public void One_port_number_may_serve_two_protocols()
    {
        var service = Translate(WithPorts(
            new ServicePortSpec { Name = "dns", Protocol = "UDP", Port = 53 }, new ServicePortSpec { Name = "dns-tcp", Port = 53 }));

        Assert.Equal(2, service!.Ports.Count);
        Assert.Empty(_problems.Kept);
    }

    public static TheoryData<string, ServicePortSpec, ServicePortSpec> PortsThatDoNotGoTogether() => new()
    {
        { "spec.ports[1].name", new() { Name = "a", Port = 80 }, new() { Name = "a", Port = 81 } },
        { "spec.ports[1].name", new() { Name = "a", Port = 80 }, new() { Port = 81 } },
        { "spec.ports[1].port", new() { Name = "a", Port = 80 }, new() { Name = "b", Port = 80 } },
        { "spec.ports[1].name", new() { Name = "a", Port = 80 }, new() { Name = "B", Port = 81 } },
        { "spec.ports[1].name", new() { Name = "a", Port = 80 }, new() { Name = new string('b', 64), Port = 81 } },
    };

    [Theory]
    [MemberData(nameof(PortsThatDoNotGoTogether))]
    public void Port_that_does_not_go_with_an_earlier_one_is_refused(string path, ServicePortSpec first, ServicePortSpec second)
    {
        Assert.Single(Translate(WithPorts(first, second))!.Ports);
        Assert.Equal((Severity.Invalid, path), Only());
    }

    [Theory]
    [InlineData(null, null, 0u)]
    [InlineData("None", 60, 0u)]
    [InlineData("ClientIP", null, 10800u)]
    [InlineData("ClientIP", 1, 1u)]
    [InlineData("ClientIP", 86400, 86400u)]
    public void Affinity_timeout_is_what_the_service_says(string? affinity, int? seconds, uint expected)
    {
        Assert.Equal(expected, Translate(WithAffinity(affinity, seconds))!.AffinityTimeoutSeconds);
        Assert.Empty(_problems.Kept);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-5)]
    [InlineData(86401)]
    public void Affinity_timeout_out_of_range_is_refused(int seconds)
    {
        Assert.Equal(10800u, Translate(WithAffinity("ClientIP", seconds))!.AffinityTimeoutSeconds);
        Assert.Equal((Severity.Invalid, "spec.sessionAffinityConfig.clientIP.timeoutSeconds"), Only());
    }

    [Fact]
    public void S160_values_that_are_not_known_yet_are_taken_as_the_default()
    {
        var service = Translate(new ServiceSpec
        {
            Type = "Foo",
            ClusterIP = "10.96.0.1",
            SessionAffinity = "Foo",
            InternalTrafficPolicy = "Foo",
            ExternalTrafficPolicy = "Foo",
        });

        Assert.Equal(new Service { Name = new ObjectName("default", "web"), ClusterIPs = [Address.Parse("10.96.0.1")] }, service);
        Assert.Equal(["spec.type", "spec.sessionAffinity", "spec.internalTrafficPolicy", "spec.externalTrafficPolicy"],
            _problems.Kept.Select(problem => problem.FieldPath));
        Assert.All(_problems.Kept, problem => Assert.Equal(Severity.Ignored, problem.Severity));
    }

    [Theory]
    [InlineData(WellKnown.AlgorithmAnnotation, "least-conn", "random or maglev")]
    [InlineData(WellKnown.AlgorithmAnnotation, "", "random or maglev")]
    [InlineData(WellKnown.MaglevTableSizeAnnotation, "1000", "251, 509")]
    [InlineData(WellKnown.MaglevTableSizeAnnotation, "-251", "251, 509")]
    [InlineData(WellKnown.MaglevTableSizeAnnotation, "2510000000000", "251, 509")]
    public void Annotation_with_a_bad_value_is_told_with_what_is_allowed(string annotation, string value, string allowed)
    {
        var metadata = new ObjectMeta { Name = "web", Annotations = Map((annotation, value)) };
        var service = ServiceTranslation.Translate(
            new ServiceObject { Metadata = metadata, Spec = new ServiceSpec { ClusterIP = "10.96.0.1" } }, _problems);

        Assert.Equal((null, 0), (service!.Algorithm, service.MaglevTableSize));
        Assert.Equal((Severity.Ignored, $"metadata.annotations[{annotation}]"), Only());
        Assert.Contains($"'{value}'", _problems.Kept[0].Message, StringComparison.Ordinal);
        Assert.Contains(allowed, _problems.Kept[0].Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("random", Algorithm.Random)]
    [InlineData("maglev", Algorithm.Maglev)]
    public void Algorithm_is_the_annotation_or_left_to_the_default(string? value, Algorithm? expected)
    {
        var annotations = value is null ? null : Map((WellKnown.AlgorithmAnnotation, value));
        var metadata = new ObjectMeta { Name = "web", Annotations = annotations };
        var service = ServiceTranslation.Translate(
            new ServiceObject { Metadata = metadata, Spec = new ServiceSpec { ClusterIP = "10.96.0.1" } }, _problems);

        Assert.Equal(expected, service!.Algorithm);
        Assert.Empty(_problems.Kept);
    }

    [Fact]
    public void Problems_beyond_the_limit_are_counted_and_not_kept()
    {
        var ports = Enumerable.Range(0, 1000).Select(i => new ServicePortSpec { Name = $"p{i}", Port = 0 }).ToArray();

        Assert.NotNull(Translate(WithPorts(ports)));
        Assert.Equal((1000, ProblemList.Limit), (_problems.InvalidCount, _problems.Kept.Count));
    }

    private static ServiceSpec WithPorts(params ServicePortSpec[] ports) => new() { ClusterIP = "10.96.0.1", Ports = ports };

    private static ServiceSpec WithAffinity(string? affinity, int? seconds) =>
        new() { ClusterIP = "10.96.0.1", SessionAffinity = affinity, SessionAffinityTimeoutSeconds = seconds };

    private static ObjectMeta Meta(params (string Key, string Value)[] labels) => new() { Name = "web", Labels = Map(labels) };

    private static Dictionary<string, string> Map(params (string Key, string Value)[] entries) =>
        entries.ToDictionary(entry => entry.Key, entry => entry.Value);

    private Service? Translate(ServiceSpec spec) =>
        ServiceTranslation.Translate(new ServiceObject { Metadata = new ObjectMeta { Name = "web" }, Spec = spec }, _problems);

    private (Severity Severity, string Path) Only()
    {
        var problem = Assert.Single(_problems.Kept);
        return (problem.Severity, problem.FieldPath);
    }
}
