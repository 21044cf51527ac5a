// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Agent.Serving;

/// <summary>The options an agent runs with, defaults included, by the names of the command line. Holds no secret.</summary>
internal static class EffectiveSettings
{
    public static IReadOnlyList<KeyValuePair<string, string>> Of(AgentOptions options)
    {
        var settings = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["node-name"] = options.NodeName,
            ["manifests"] = options.Manifests ?? "",
            ["kubeconfig"] = string.Join(':', options.Api?.Kubeconfigs ?? []),
            ["context"] = options.Api?.Context ?? "",
            ["server"] = Uri.TryCreate(options.Api?.Server, UriKind.Absolute, out var server)
                ? server.GetLeftPart(UriPartial.Authority).Replace(server.UserInfo + "@", "", StringComparison.Ordinal)
                : "",
            ["healthz-bind-address"] = options.Serving.Healthz?.ToString() ?? "",
            ["metrics-bind-address"] = options.Serving.Metrics?.ToString() ?? "",
            ["bind-address-hard-fail"] = options.Serving.BindHardFail ? "true" : "false",
            ["sync-period"] = Text(options.Serving.SyncPeriod),
            ["bpffs"] = options.Datapath.BpfFs ?? "",
            ["cgroup"] = options.Datapath.Cgroup ?? "",
            ["bpftool"] = options.Bpftool ?? "",
            ["proc-sys"] = options.ProcSys,
            ["oom-score-adj"] = options.OomScoreAdj?.ToString(CultureInfo.InvariantCulture) ?? "",
            ["map-size"] = string.Join(',', options.Datapath.MapSizes.OrderBy(size => size.Key, StringComparer.Ordinal)
                .Select(size => $"{size.Key}={size.Value}")),
            ["devices"] = options.Devices.Devices is { } devices ? devices.Count == 0 ? "none" : string.Join(',', devices) : "",
            ["pod-devices"] = string.Join(',', options.Devices.PodDevices),
            ["xdp"] = options.Devices.Xdp.ToString().ToLowerInvariant(),
            ["node-ip"] = string.Join(',', options.Devices.NodeAddresses),
            ["nodeport-addresses"] = options.Devices.NodePorts.Primary ? "primary" : string.Join(',', options.Devices.NodePorts.Prefixes),
            ["allow-node-external-ips"] = options.AllowNodeExternalIPs ? "true" : "false",
            ["external-cluster-ips"] = options.Flows.ExternalClusterIPs ? "true" : "false",
            ["snat-ports"] = $"{options.Flows.SnatPortFirst}-{options.Flows.SnatPortLast}",
            ["conntrack-timeouts"] = string.Create(CultureInfo.InvariantCulture, $"tcp-syn={options.Flows.TcpSynSeconds},"
                + $"tcp-established={options.Flows.TcpEstablishedSeconds},tcp-fin={options.Flows.TcpFinSeconds},"
                + $"tcp-closed={options.Flows.TcpClosedSeconds},udp={options.Flows.UdpSeconds},sctp={options.Flows.SctpSeconds}"),
            ["dead-backend-grace"] = options.Flows.DeadBackendSeconds == 0
                ? "off"
                : options.Flows.DeadBackendSeconds.ToString(CultureInfo.InvariantCulture),
            ["default-algorithm"] = options.DefaultAlgorithm?.ToString().ToLowerInvariant() ?? "",
            ["maglev-table-size"] = options.Maglev.TableSize.ToString(CultureInfo.InvariantCulture),
            ["log-level"] = options.LogLevel == LogLevel.Information ? "info" : options.LogLevel.ToString().ToLowerInvariant(),
            ["conntrack-max-per-core"] = options.ConntrackSysctls.MaxPerCore.ToString(CultureInfo.InvariantCulture),
            ["conntrack-min"] = options.ConntrackSysctls.Min.ToString(CultureInfo.InvariantCulture),
            ["conntrack-tcp-timeout-established"] = Text(options.ConntrackSysctls.TcpEstablishedTimeout),
            ["conntrack-tcp-timeout-close-wait"] = Text(options.ConntrackSysctls.TcpCloseWaitTimeout),
            ["conntrack-tcp-be-liberal"] = options.ConntrackSysctls.TcpBeLiberal ? "true" : "false",
            ["conntrack-udp-timeout"] = Text(options.ConntrackSysctls.UdpTimeout),
            ["conntrack-udp-timeout-stream"] = Text(options.ConntrackSysctls.UdpStreamTimeout),
        };
        return [.. settings];
    }

    private static string Text(TimeSpan? time) =>
        time is { } value ? string.Create(CultureInfo.InvariantCulture, $"{value.TotalSeconds}s") : "";
}
