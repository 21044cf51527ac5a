// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Configuration;

namespace EbpfLb.Cli.Configuration;

/// <summary>
/// The flags of kube-proxy 1.36, but for those that are options of the agent's own: --config, --kubeconfig, --master, --hostname-override
/// and --nodeport-addresses.
/// </summary>
internal static class KubeProxyFlags
{
    public static IReadOnlyList<KubeProxyFlag> All { get; } =
    [
        Shown(
            "--healthz-bind-address", "healthzBindAddress", "ADDR[:PORT]|none",
            "Where /healthz and /livez are answered. Default: 0.0.0.0:10256."),
        Shown(
            "--metrics-bind-address", "metricsBindAddress", "ADDR[:PORT]|none",
            "Where /metrics and /proxyMode are answered. Default: 127.0.0.1:10249."),
        Switch("--bind-address-hard-fail", "bindAddressHardFail", "End when one of these cannot be bound. Default: try again."),
        Shown(
            "--oom-score-adj", "oomScoreAdj", "N",
            "How soon the kernel ends the agent when memory is short, -1000 to 1000. Default: -999 with an API server."),
        Shown(
            "--conntrack-max-per-core", "conntrack.maxPerCore", "N",
            "The node's own connection tracking: net.netfilter.nf_conntrack_max for each core, up to 1048576 together, unless it is higher; "
            + "0 leaves it. Default: 32768 with an API server, as kube-proxy sets it; else 0."),
        Shown("--conntrack-min", "conntrack.min", "N", "The least that is. Default: 131072."),
        Shown(
            "--conntrack-tcp-timeout-established", "conntrack.tcpEstablishedTimeout", "DURATION",
            "Its timeout of idle connections; 0s leaves it. Default: 24h with an API server."),
        Shown(
            "--conntrack-tcp-timeout-close-wait", "conntrack.tcpCloseWaitTimeout", "DURATION",
            "Its timeout of half-closed connections; 0s leaves it. Default: 1h with an API server."),
        Switch("--conntrack-tcp-be-liberal", "conntrack.tcpBeLiberal", "It takes packets that are out of a connection's window."),
        Shown("--conntrack-udp-timeout", "conntrack.udpTimeout", "DURATION", "Its timeout of unanswered UDP flows. Default: as it is."),
        Shown(
            "--conntrack-udp-timeout-stream", "conntrack.udpStreamTimeout", "DURATION",
            "Its timeout of other UDP flows. Default: as it is."),

        Hidden("--v", "logging.verbosity") with { Alias = "-v" },
        Hidden("--bind-address", "bindAddress"),
        Hidden("--healthz-port", KubeProxyFields.HealthzPort),
        Hidden("--metrics-port", KubeProxyFields.MetricsPort),
        Hidden("--iptables-sync-period", "iptables.syncPeriod"),
        Hidden("--ipvs-sync-period", "ipvs.syncPeriod"),
        Hidden("--proxy-mode", "mode"),

        Hidden("--cluster-cidr", "clusterCIDR"),
        Hidden("--config-sync-period", "configSyncPeriod"),
        Hidden("--detect-local-mode", "detectLocalMode"),
        Hidden("--pod-bridge-interface", "detectLocal.bridgeInterface"),
        Hidden("--pod-interface-name-prefix", "detectLocal.interfaceNamePrefix"),
        Hidden("--feature-gates", "featureGates"),
        Hidden("--kube-api-burst", "clientConnection.burst"),
        Hidden("--kube-api-content-type", "clientConnection.contentType"),
        Hidden("--kube-api-qps", "clientConnection.qps"),
        Hidden("--show-hidden-metrics-for-version", "showHiddenMetricsForVersion"),
        Hidden("--iptables-masquerade-bit", "iptables.masqueradeBit"),
        Hidden("--iptables-min-sync-period", "iptables.minSyncPeriod"),
        Hidden("--ipvs-exclude-cidrs", "ipvs.excludeCIDRs"),
        Hidden("--ipvs-min-sync-period", "ipvs.minSyncPeriod"),
        Hidden("--ipvs-scheduler", "ipvs.scheduler"),
        Hidden("--ipvs-tcp-timeout", "ipvs.tcpTimeout"),
        Hidden("--ipvs-tcpfin-timeout", "ipvs.tcpFinTimeout"),
        Hidden("--ipvs-udp-timeout", "ipvs.udpTimeout"),
        Hidden("--logging-format", "logging.format"),
        Hidden("--log-flush-frequency", "logging.flushFrequency"),
        Hidden("--log-text-info-buffer-size", "logging.options.text.infoBufferSize"),
        Hidden("--log-json-info-buffer-size", "logging.options.json.infoBufferSize"),
        Hidden("--vmodule", "logging.vmodule"),
        Switch("--profiling", "enableProfiling"),
        Switch("--masquerade-all", "iptables.masqueradeAll"),
        Switch("--iptables-localhost-nodeports", "iptables.localhostNodePorts"),
        Switch("--ipvs-strict-arp", "ipvs.strictARP"),
        Switch("--log-text-split-stream", "logging.options.text.splitStream"),
        Switch("--log-json-split-stream", "logging.options.json.splitStream"),

        OtherRun("--cleanup", "'ebpflb cleanup' takes everything off the node") with { IsSwitch = true },
        OtherRun("--init-only", "leave the first container out: the agent sets up what it needs when it starts") with { IsSwitch = true },
        OtherRun("--write-config-to", "there is no file to write: what is not set has the defaults that 'ebpflb agent --help' tells"),
    ];

    private static KubeProxyFlag Shown(string name, string path, string helpName, string description) =>
        new(name, KubeProxyFields.Get(path)) { HelpName = helpName, Description = description };

    private static KubeProxyFlag Switch(string name, string path, string? description = null) =>
        new(name, KubeProxyFields.Get(path)) { IsSwitch = true, Description = description, HelpName = "true|false" };

    private static KubeProxyFlag Hidden(string name, string path) => Hidden(name, KubeProxyFields.Get(path));

    private static KubeProxyFlag Hidden(string name, KubeProxyField field) => new(name, field);

    private static KubeProxyFlag OtherRun(string name, string inPlace) => new(name, Field: null) { InPlace = inPlace };
}
