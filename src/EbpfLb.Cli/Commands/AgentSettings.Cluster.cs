// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using EbpfLb.Agent;
using EbpfLb.Cli.Configuration;
using EbpfLb.Kubernetes.Api;
using EbpfLb.Kubernetes.Configuration;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Cli.Commands;

/// <summary>Those of the source, and of what kube-proxy does beside its rules.</summary>
internal sealed partial record AgentSettings
{
    private const int HealthzPort = 10256;
    private const int MetricsPort = 10249;
    private const int DefaultOomScoreAdj = -999;

    private const string KubeconfigVariable = "KUBECONFIG";
    private const string PodVariable = "KUBERNETES_SERVICE_HOST";

    private const string NoSource =
        "There is nothing to follow. Name an API server with --kubeconfig FILE (or KUBECONFIG in the environment, or a --config FILE that names "
        + "one); or run in a pod of the cluster, whose service account is used; or name a directory of manifests with --manifests DIR.";

    public IReadOnlyList<string> Kubeconfigs { get; init; } = [];

    public string? Context { get; init; }

    public string? Server { get; init; }

    public KubeProxySettings KubeProxy { get; init; } = KubeProxySettings.None;

    /// <summary>Variables of the environment; null where one is not set.</summary>
    public Func<string, string?> Environment { get; init; } = _ => null;

    /// <returns>Null: there are manifests, or nothing.</returns>
    private ApiOptions? ParseApi(KubeProxyConfiguration kubeProxy, List<string> errors)
    {
        if (Manifests is not null)
        {
            string? other = Kubeconfigs.Count > 0 ? "--kubeconfig" : Server is not null ? "--server" : Context is not null ? "--context" : null;
            if (other is not null)
                errors.Add($"--manifests and {other}: services come from one source. Leave one of the two out.");
            return null;
        }

        var files = KubeconfigFiles(kubeProxy, errors);
        if (Context is not null && files.Count == 0)
            errors.Add($"--context {Context}: there is no kubeconfig to have it. Name one with --kubeconfig FILE.");
        if (Server is not null && !(Uri.TryCreate(Server, UriKind.Absolute, out var uri) && uri.Scheme is "https" or "http"))
            errors.Add($"--server {Server}: this is not the URL of an API server, such as https://192.0.2.1:6443.");
        if (files.Count > 0 || Server is not null || !string.IsNullOrEmpty(Environment(PodVariable)))
            return new ApiOptions { Kubeconfigs = files, Context = Context, Server = Server };

        // A configuration that could not be read may have named one.
        if (errors.Count == 0 || KubeProxy.File is null)
            errors.Add(NoSource);
        return null;
    }

    private List<string> KubeconfigFiles(KubeProxyConfiguration kubeProxy, List<string> errors)
    {
        if (Kubeconfigs.Count > 0)
        {
            foreach (string file in Kubeconfigs.Where(file => !File.Exists(file)))
                errors.Add($"--kubeconfig {file}: there is no such file. Name another.");
            return [.. Kubeconfigs];
        }

        if (kubeProxy.Kubeconfig is { } configured)
        {
            if (!File.Exists(configured))
                errors.Add($"{KubeProxy.File}: clientConnection.kubeconfig: there is no file {configured}. Name another, or use --kubeconfig.");
            return [configured];
        }

        // kubectl passes over those that are missing as well.
        string[] named = Environment(KubeconfigVariable)?.Split(':', StringSplitOptions.RemoveEmptyEntries) ?? [];
        string[] present = [.. named.Where(File.Exists)];
        if (named.Length > 0 && present.Length == 0)
        {
            errors.Add($"{KubeconfigVariable}={string.Join(':', named)}: there is no such file. Name another, or unset the variable.");
            return [.. named];
        }

        return [.. present];
    }

    private string ParseNodeName(KubeProxyConfiguration kubeProxy)
    {
        // The API has no upper case in a name.
        string name = NodeName ?? kubeProxy.NodeName ?? Dns.GetHostName();
        return name.Trim().ToLowerInvariant();
    }

    private static ServingOptions ServingOf(KubeProxyConfiguration kubeProxy)
    {
        bool isIPv6 = kubeProxy.BindAddress?.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6;
        var serving = new ServingOptions();
        return new ServingOptions
        {
            Healthz = Endpoint(kubeProxy.Healthz, kubeProxy.HealthzPort, isIPv6 ? IPAddress.IPv6Any : IPAddress.Any, HealthzPort),
            Metrics = Endpoint(kubeProxy.Metrics, kubeProxy.MetricsPort, isIPv6 ? IPAddress.IPv6Loopback : IPAddress.Loopback, MetricsPort),
            SyncPeriod = kubeProxy.SyncPeriod ?? serving.SyncPeriod,
            BindHardFail = kubeProxy.BindAddressHardFail,
        };
    }

    private static IPEndPoint? Endpoint(ServingAddress? told, int? portAlone, IPAddress usual, int usualPort)
    {
        if (told == ServingAddress.None || portAlone == 0)
            return null;

        return new IPEndPoint(told?.Address ?? usual, told?.Port ?? portAlone ?? usualPort);
    }

    private static ConntrackSysctls SysctlsOf(KubeProxyConfiguration kubeProxy, bool hasApi)
    {
        var usual = new ConntrackSysctls();
        var unset = hasApi ? usual : ConntrackSysctls.LeaveAll;
        int maxPerCore = kubeProxy.ConntrackMaxPerCore ?? unset.MaxPerCore;
        return new ConntrackSysctls
        {
            MaxPerCore = maxPerCore,
            Min = maxPerCore == 0 ? 0 : kubeProxy.ConntrackMin ?? usual.Min,
            TcpEstablishedTimeout = Set(kubeProxy.TcpEstablishedTimeout ?? unset.TcpEstablishedTimeout),
            TcpCloseWaitTimeout = Set(kubeProxy.TcpCloseWaitTimeout ?? unset.TcpCloseWaitTimeout),
            TcpBeLiberal = kubeProxy.TcpBeLiberal ?? unset.TcpBeLiberal,
            UdpTimeout = Set(kubeProxy.UdpTimeout),
            UdpStreamTimeout = Set(kubeProxy.UdpStreamTimeout),
        };

        static TimeSpan? Set(TimeSpan? timeout) => timeout is { Ticks: > 0 } ? timeout : null;
    }

    private LogLevel ParseLogLevel(KubeProxyConfiguration kubeProxy, List<string> errors) =>
        LogLevel is not null ? ParseLogLevel(errors) : kubeProxy.Verbosity switch
        {
            // What kube-proxy tells at 4 it tells developers.
            null or < 4 => Microsoft.Extensions.Logging.LogLevel.Information,
            < 8 => Microsoft.Extensions.Logging.LogLevel.Debug,
            _ => Microsoft.Extensions.Logging.LogLevel.Trace,
        };
}
