// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Objects;
using EbpfLb.Kubernetes.Translation;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Kubernetes.Tests.Translation;

/// <summary>Fields that say nothing about where traffic goes: identities, health checks, when a change began.</summary>
public sealed class ProgrammingFieldsTests
{
    private readonly ProblemList _problems = new();

    [Theory]
    [InlineData(null, "")]
    [InlineData("1e3ce5b4-1f0f-4b5e-9c0f-1a2b3c4d5e6f", "1e3ce5b4-1f0f-4b5e-9c0f-1a2b3c4d5e6f")]
    public void Service_keeps_the_identity_of_its_object(string? uid, string expected) =>
        Assert.Equal(expected, Translate(new ServiceSpec { ClusterIP = "10.96.0.1" }, uid)!.Uid);

    [Theory]
    [InlineData("LoadBalancer", "Local", 30000, 30000)]
    [InlineData("LoadBalancer", "Local", 65535, 65535)]
    [InlineData("LoadBalancer", "Local", 0, 0)]
    [InlineData("LoadBalancer", "Local", null, 0)]
    [InlineData("LoadBalancer", "Cluster", 30000, 0)]
    [InlineData("LoadBalancer", null, 30000, 0)]
    [InlineData("NodePort", "Local", 30000, 0)]
    [InlineData("ClusterIP", "Local", 30000, 0)]
    [InlineData(null, "Local", 30000, 0)]
    public void S30_Health_check_port_counts_for_a_load_balancer_with_policy_Local(string? type, string? policy, int? port, int expected)
    {
        var service = Translate(
            new ServiceSpec { Type = type, ClusterIP = "10.96.0.1", ExternalTrafficPolicy = policy, HealthCheckNodePort = port });

        Assert.Equal(expected, service!.HealthCheckNodePort);
        Assert.Empty(_problems.Kept);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(65536)]
    [InlineData(int.MinValue)]
    public void S30_Health_check_port_that_is_none_is_told_and_the_service_served(int port)
    {
        var service = Translate(new ServiceSpec
        {
            Type = "LoadBalancer",
            ClusterIP = "10.96.0.1",
            ExternalTrafficPolicy = "Local",
            HealthCheckNodePort = port,
        });

        Assert.Equal(0, service!.HealthCheckNodePort);
        var problem = Assert.Single(_problems.Kept);
        Assert.Equal((Severity.Invalid, "spec.healthCheckNodePort"), (problem.Severity, problem.FieldPath));
    }

    [Theory]
    [InlineData("2026-01-31T12:00:00Z", "2026-01-31T12:00:00.0000000+00:00")]
    [InlineData("2026-01-31T12:00:00.5Z", "2026-01-31T12:00:00.5000000+00:00")]
    [InlineData("2026-01-31T12:00:00.123456789Z", "2026-01-31T12:00:00.1234568+00:00")]
    [InlineData("2026-01-31T13:00:00+01:00", "2026-01-31T13:00:00.0000000+01:00")]
    [InlineData(null, null)]
    [InlineData("", null)]
    [InlineData("5", null)]
    [InlineData("12:00", null)]
    [InlineData("2026-01-31", null)]
    [InlineData("2026-01-31T12:00:00", null)]
    [InlineData("2026-01-31 12:00:00Z", null)]
    [InlineData(" 2026-01-31T12:00:00Z", null)]
    [InlineData("2026-13-31T12:00:00Z", null)]
    [InlineData("2026-01-31T12:00:00.Z", null)]
    [InlineData("Sat, 31 Jan 2026 12:00:00 GMT", null)]
    public void Trigger_of_a_slice_is_a_time_of_RFC_3339_or_none(string? text, string? expected)
    {
        var annotations = text is null ? null : new Dictionary<string, string> { [WellKnown.LastChangeTriggerAnnotation] = text };
        var metadata = new ObjectMeta
        {
            Name = "web-1",
            Labels = new Dictionary<string, string> { [WellKnown.ServiceNameLabel] = "web" },
            Annotations = annotations,
        };
        var slice = EndpointSliceTranslation.Translate(new EndpointSliceObject { Metadata = metadata, AddressType = "IPv4" }, _problems);

        Assert.Equal(expected, slice!.LastChangeTrigger?.ToString("O"));
        Assert.Empty(_problems.Kept);
    }

    private Service? Translate(ServiceSpec spec, string? uid = null) => ServiceTranslation.Translate(
        new ServiceObject { Metadata = new ObjectMeta { Name = "web", Uid = uid }, Spec = spec }, _problems);
}
