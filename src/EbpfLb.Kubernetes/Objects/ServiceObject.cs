// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Kubernetes.Objects;

public sealed class ServiceObject
{
    public ObjectMeta? Metadata { get; init; }

    public ServiceSpec? Spec { get; init; }

    /// <summary>status.loadBalancer.ingress</summary>
    public IReadOnlyList<LoadBalancerIngress>? LoadBalancerIngress { get; init; }
}

public sealed class ServiceSpec
{
    public string? Type { get; init; }

    public string? ClusterIP { get; init; }

    public IReadOnlyList<string>? ClusterIPs { get; init; }

    public IReadOnlyList<string>? ExternalIPs { get; init; }

    public IReadOnlyList<string>? LoadBalancerSourceRanges { get; init; }

    public IReadOnlyList<ServicePortSpec>? Ports { get; init; }

    public string? SessionAffinity { get; init; }

    /// <summary>spec.sessionAffinityConfig.clientIP.timeoutSeconds</summary>
    public int? SessionAffinityTimeoutSeconds { get; init; }

    public string? InternalTrafficPolicy { get; init; }

    public string? ExternalTrafficPolicy { get; init; }

    public int? HealthCheckNodePort { get; init; }
}

public sealed class ServicePortSpec
{
    public string? Name { get; init; }

    public string? Protocol { get; init; }

    public int? Port { get; init; }

    public int? NodePort { get; init; }
}

public sealed class LoadBalancerIngress
{
    public string? IP { get; init; }

    public string? IPMode { get; init; }
}
