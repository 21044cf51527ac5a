// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;

namespace EbpfLb.Kubernetes.Configuration;

/// <summary>Of kube-proxy's settings, from its file or its flags, those that mean something here. Null: not set.</summary>
public sealed record KubeProxyConfiguration
{
    public const string ApiVersion = "kubeproxy.config.k8s.io/v1alpha1";
    public const string Kind = "KubeProxyConfiguration";

    public string? Kubeconfig { get; init; }

    public string? NodeName { get; init; }

    /// <summary>The node's address, in spite of the name; 0.0.0.0 and :: say which family comes first.</summary>
    public IPAddress? BindAddress { get; init; }

    public ServingAddress? Healthz { get; init; }

    public ServingAddress? Metrics { get; init; }

    /// <summary>For an address without one; 0: nowhere.</summary>
    public int? HealthzPort { get; init; }

    public int? MetricsPort { get; init; }

    public bool BindAddressHardFail { get; init; }

    public string? Mode { get; init; }

    public TimeSpan? IptablesSyncPeriod { get; init; }

    public TimeSpan? IpvsSyncPeriod { get; init; }

    public TimeSpan? NftablesSyncPeriod { get; init; }

    /// <summary>Prefixes, or the word <c>primary</c>.</summary>
    public IReadOnlyList<string>? NodePortAddresses { get; init; }

    public int? Verbosity { get; init; }

    public int? OomScoreAdj { get; init; }

    public int? ConntrackMaxPerCore { get; init; }

    public int? ConntrackMin { get; init; }

    public TimeSpan? TcpEstablishedTimeout { get; init; }

    public TimeSpan? TcpCloseWaitTimeout { get; init; }

    public bool? TcpBeLiberal { get; init; }

    public TimeSpan? UdpTimeout { get; init; }

    public TimeSpan? UdpStreamTimeout { get; init; }

    /// <summary>Each mode has a period of its own.</summary>
    public TimeSpan? SyncPeriod => Mode switch
    {
        "ipvs" => IpvsSyncPeriod,
        "nftables" => NftablesSyncPeriod,
        _ => IptablesSyncPeriod,
    };
}
