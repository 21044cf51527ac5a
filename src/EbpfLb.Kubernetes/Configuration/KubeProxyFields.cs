// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Collections.Frozen;
using System.Net;

namespace EbpfLb.Kubernetes.Configuration;

/// <summary>Every field of kubeproxy.config.k8s.io/v1alpha1 in Kubernetes 1.36.</summary>
public static class KubeProxyFields
{
    private static readonly KubeProxyField[] Table =
    [
        Bound("clientConnection.kubeconfig", ValueKind.Text, (it, value) => it with { Kubeconfig = (string)value }),
        PassedOver("clientConnection.acceptContentTypes", ValueKind.Text),
        PassedOver("clientConnection.contentType", ValueKind.Text, natural: "application/vnd.kubernetes.protobuf"),
        PassedOver("clientConnection.qps", ValueKind.Number),
        PassedOver("clientConnection.burst", ValueKind.Integer(int.MinValue, int.MaxValue)),
        Bound("hostnameOverride", ValueKind.Text, (it, value) => it with { NodeName = (string)value }),
        Bound("bindAddress", ValueKind.IpAddress, (it, value) => it with { BindAddress = value as IPAddress }),
        Bound("bindAddressHardFail", ValueKind.Boolean, (it, value) => it with { BindAddressHardFail = (bool)value }),
        Bound("healthzBindAddress", ValueKind.Serving, (it, value) => it with { Healthz = (ServingAddress)value }),
        Bound("metricsBindAddress", ValueKind.Serving, (it, value) => it with { Metrics = (ServingAddress)value }),
        Bound("nodePortAddresses", ValueKind.NodePortAddresses, (it, value) => it with { NodePortAddresses = (string[])value }),
        // Each of them is known as the mode of the sync period, and nftables for the addresses of NodePorts.
        new("mode", ValueKind.Text, (it, value) => it with { Mode = (string)value }) { IsPassedOver = true },
        Bound("iptables.syncPeriod", ValueKind.Duration, (it, value) => it with { IptablesSyncPeriod = NotZero(value) }),
        Bound("ipvs.syncPeriod", ValueKind.Duration, (it, value) => it with { IpvsSyncPeriod = NotZero(value) }),
        Bound("nftables.syncPeriod", ValueKind.Duration, (it, value) => it with { NftablesSyncPeriod = NotZero(value) }),
        Bound("logging.verbosity", Count, (it, value) => it with { Verbosity = (int)value }),
        BoundWithZero("oomScoreAdj", ValueKind.Integer(-1000, 1000), (it, value) => it with { OomScoreAdj = (int)value }),
        BoundWithZero("conntrack.maxPerCore", Count, (it, value) => it with { ConntrackMaxPerCore = (int)value }),
        BoundWithZero("conntrack.min", Count, (it, value) => it with { ConntrackMin = (int)value }),
        BoundWithZero(
            "conntrack.tcpEstablishedTimeout", ValueKind.Duration, (it, value) => it with { TcpEstablishedTimeout = (TimeSpan)value }),
        BoundWithZero("conntrack.tcpCloseWaitTimeout", ValueKind.Duration, (it, value) => it with { TcpCloseWaitTimeout = (TimeSpan)value }),
        Bound("conntrack.tcpBeLiberal", ValueKind.Boolean, (it, value) => it with { TcpBeLiberal = (bool)value }),
        Bound("conntrack.udpTimeout", ValueKind.Duration, (it, value) => it with { UdpTimeout = (TimeSpan)value }),
        Bound("conntrack.udpStreamTimeout", ValueKind.Duration, (it, value) => it with { UdpStreamTimeout = (TimeSpan)value }),

        PassedOver("clusterCIDR", ValueKind.Text),
        PassedOver("detectLocalMode", ValueKind.Text),
        PassedOver("detectLocal.bridgeInterface", ValueKind.Text),
        PassedOver("detectLocal.interfaceNamePrefix", ValueKind.Text),
        PassedOver("configSyncPeriod", ValueKind.Duration),
        PassedOver("enableProfiling", ValueKind.Boolean),
        PassedOver("featureGates", ValueKind.Gates),
        PassedOver("portRange", ValueKind.Text),
        PassedOver("showHiddenMetricsForVersion", ValueKind.Text),
        PassedOver("windowsRunAsService", ValueKind.Boolean),

        PassedOver("iptables.masqueradeAll", ValueKind.Boolean),
        new("iptables.masqueradeBit", ValueKind.Integer(0, 31), null) { TakesZero = true, Natural = 14 },
        new("iptables.localhostNodePorts", ValueKind.Boolean, null) { TakesZero = true, Natural = true },
        new("iptables.snatNodeInternalIP", ValueKind.Boolean, null),
        PassedOver("iptables.minSyncPeriod", ValueKind.Duration),
        PassedOver("nftables.masqueradeAll", ValueKind.Boolean),
        new("nftables.masqueradeBit", ValueKind.Integer(0, 31), null) { TakesZero = true, Natural = 14 },
        PassedOver("nftables.minSyncPeriod", ValueKind.Duration),
        PassedOver("ipvs.minSyncPeriod", ValueKind.Duration),
        PassedOver("ipvs.scheduler", ValueKind.Text),
        PassedOver("ipvs.excludeCIDRs", ValueKind.TextList),
        PassedOver("ipvs.strictARP", ValueKind.Boolean),
        PassedOver("ipvs.tcpTimeout", ValueKind.Duration),
        PassedOver("ipvs.tcpFinTimeout", ValueKind.Duration),
        PassedOver("ipvs.udpTimeout", ValueKind.Duration),
        PassedOver("winkernel.networkName", ValueKind.Text),
        PassedOver("winkernel.sourceVip", ValueKind.Text),
        PassedOver("winkernel.enableDSR", ValueKind.Boolean),
        PassedOver("winkernel.rootHnsEndpointName", ValueKind.Text),
        PassedOver("winkernel.forwardHealthCheckVip", ValueKind.Boolean),
        PassedOver("logging.format", ValueKind.Text, natural: "text"),
        PassedOver("logging.flushFrequency", ValueKind.DurationOrNanoseconds, natural: TimeSpan.FromSeconds(5)),
        PassedOver("logging.vmodule", ValueKind.Mappings),
        PassedOver("logging.options.text.splitStream", ValueKind.Boolean),
        PassedOver("logging.options.text.infoBufferSize", ValueKind.Quantity),
        PassedOver("logging.options.json.splitStream", ValueKind.Boolean),
        PassedOver("logging.options.json.infoBufferSize", ValueKind.Quantity),
    ];

    private static readonly FrozenDictionary<string, KubeProxyField> ByPath = Table.ToFrozenDictionary(field => field.Path);

    private static readonly FrozenSet<string> GroupPaths = Table.SelectMany(field => Ancestors(field.Path)).ToFrozenSet();

    public static IReadOnlyList<KubeProxyField> All => Table;

    /// <summary>Flags without a field.</summary>
    public static KubeProxyField HealthzPort { get; } =
        new("--healthz-port", Port, (it, value) => it with { HealthzPort = (int)value }) { TakesZero = true };

    /// <inheritdoc cref="HealthzPort"/>
    public static KubeProxyField MetricsPort { get; } =
        new("--metrics-port", Port, (it, value) => it with { MetricsPort = (int)value }) { TakesZero = true };

    private static ValueKind Count => ValueKind.Integer(0, int.MaxValue);

    private static ValueKind Port => ValueKind.Integer(0, ushort.MaxValue);

    public static KubeProxyField Get(string path) => ByPath[path];

    internal static KubeProxyField? Find(string path) => ByPath.GetValueOrDefault(path);

    internal static bool IsGroup(string path) => GroupPaths.Contains(path);

    private static KubeProxyField Bound(
        string path, ValueKind kind, Func<KubeProxyConfiguration, object, KubeProxyConfiguration> set) => new(path, kind, set);

    private static KubeProxyField BoundWithZero(
        string path, ValueKind kind, Func<KubeProxyConfiguration, object, KubeProxyConfiguration> set) =>
        new(path, kind, set) { TakesZero = true };

    private static KubeProxyField PassedOver(string path, ValueKind kind, object? natural = null) =>
        new(path, kind, null) { Natural = natural };

    // As kube-proxy reads it: the default.
    private static TimeSpan? NotZero(object value) => (TimeSpan)value is { Ticks: > 0 } period ? period : null;

    private static IEnumerable<string> Ancestors(string path)
    {
        for (int dot = path.IndexOf('.', StringComparison.Ordinal); dot >= 0; dot = path.IndexOf('.', dot + 1))
            yield return path[..dot];
    }
}
