// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using EbpfLb.Agent;
using EbpfLb.Cli.Configuration;
using EbpfLb.Cli.Tests.Support;
using EbpfLb.LoadBalancing.Model;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Cli.Tests;

public sealed class KubeProxyFlagTests
{
    // kube-proxy 1.36 --help, but for -h, --help and --version.
    private static readonly string[] FlagsOfKubeProxy =
    [
        "--bind-address", "--bind-address-hard-fail", "--cleanup", "--cluster-cidr", "--config", "--config-sync-period",
        "--conntrack-max-per-core", "--conntrack-min", "--conntrack-tcp-be-liberal", "--conntrack-tcp-timeout-close-wait",
        "--conntrack-tcp-timeout-established", "--conntrack-udp-timeout", "--conntrack-udp-timeout-stream", "--detect-local-mode",
        "--feature-gates", "--healthz-bind-address", "--healthz-port", "--hostname-override", "--init-only",
        "--iptables-localhost-nodeports", "--iptables-masquerade-bit", "--iptables-min-sync-period", "--iptables-sync-period",
        "--ipvs-exclude-cidrs", "--ipvs-min-sync-period", "--ipvs-scheduler", "--ipvs-strict-arp", "--ipvs-sync-period",
        "--ipvs-tcp-timeout", "--ipvs-tcpfin-timeout", "--ipvs-udp-timeout", "--kube-api-burst", "--kube-api-content-type", "--kube-api-qps",
        "--kubeconfig", "--log-flush-frequency", "--log-json-info-buffer-size", "--log-json-split-stream", "--log-text-info-buffer-size",
        "--log-text-split-stream", "--logging-format", "--masquerade-all", "--master", "--metrics-bind-address", "--metrics-port",
        "--nodeport-addresses", "--oom-score-adj", "--pod-bridge-interface", "--pod-interface-name-prefix", "--profiling", "--proxy-mode",
        "--show-hidden-metrics-for-version", "--v", "--vmodule", "--write-config-to",
    ];

    private static readonly string[] OwnOptions = ["--config", "--kubeconfig", "--master", "--hostname-override", "--nodeport-addresses"];

    public static TheoryData<string, Func<AgentOptions, object?>, object?> BoundFlags => new()
    {
        { "--healthz-bind-address=127.0.0.1:1", it => it.Serving.Healthz, IPEndPoint.Parse("127.0.0.1:1") },
        { "--healthz-bind-address=127.0.0.1", it => it.Serving.Healthz, IPEndPoint.Parse("127.0.0.1:10256") },
        { "--healthz-bind-address=", it => it.Serving.Healthz, null },
        { "--healthz-bind-address=0", it => it.Serving.Healthz, null },
        { "--healthz-bind-address none", it => it.Serving.Healthz, null },
        { "--healthz-bind-address=127.0.0.1:0", it => it.Serving.Healthz, IPEndPoint.Parse("127.0.0.1:0") },
        { "--healthz-bind-address=::", it => it.Serving.Healthz, IPEndPoint.Parse("[::]:10256") },
        { "--healthz-port=0", it => it.Serving.Healthz, null },
        { "--healthz-port=7", it => it.Serving.Healthz, IPEndPoint.Parse("0.0.0.0:7") },
        { "--healthz-port=7 --healthz-bind-address=127.0.0.1", it => it.Serving.Healthz, IPEndPoint.Parse("127.0.0.1:7") },
        { "--healthz-port=7 --healthz-bind-address=127.0.0.1:8", it => it.Serving.Healthz, IPEndPoint.Parse("127.0.0.1:8") },
        { "--metrics-bind-address=0.0.0.0", it => it.Serving.Metrics, IPEndPoint.Parse("0.0.0.0:10249") },
        { "--metrics-bind-address=[::]:9", it => it.Serving.Metrics, IPEndPoint.Parse("[::]:9") },
        { "--metrics-bind-address=", it => it.Serving.Metrics, null },
        { "--metrics-bind-address none", it => it.Serving.Metrics, null },
        { "--metrics-port=0", it => it.Serving.Metrics, null },
        { "--bind-address=::", it => it.Serving.Healthz, IPEndPoint.Parse("[::]:10256") },
        { "--bind-address=::", it => it.Serving.Metrics, IPEndPoint.Parse("[::1]:10249") },
        { "--bind-address=0.0.0.0", it => it.Devices.NodeAddresses.Count, 0 },
        { "--bind-address=192.0.2.1", it => it.Devices.NodeAddresses.Single(), Address.Parse("192.0.2.1") },
        { "--bind-address=192.0.2.1 --node-ip=192.0.2.2", it => it.Devices.NodeAddresses.Single(), Address.Parse("192.0.2.2") },
        { "--bind-address-hard-fail", it => it.Serving.BindHardFail, true },
        { "--bind-address-hard-fail=false", it => it.Serving.BindHardFail, false },
        { "--iptables-sync-period=10s", it => it.Serving.SyncPeriod, TimeSpan.FromSeconds(10) },
        { "--ipvs-sync-period=10s", it => it.Serving.SyncPeriod, TimeSpan.FromSeconds(30) },
        { "--oom-score-adj=-998", it => it.OomScoreAdj, -998 },
        { "--oom-score-adj -998", it => it.OomScoreAdj, -998 },
        { "--oom-score-adj=0", it => it.OomScoreAdj, 0 },
        { "--conntrack-max-per-core=0", it => it.ConntrackSysctls.MaxPerCore, 0 },
        { "--conntrack-max-per-core=7", it => (it.ConntrackSysctls.MaxPerCore, it.ConntrackSysctls.Min), (7, 131_072) },
        { "--conntrack-min=8 --conntrack-max-per-core=7", it => it.ConntrackSysctls.Min, 8 },
        { "--conntrack-tcp-timeout-established=1h30m", it => it.ConntrackSysctls.TcpEstablishedTimeout, TimeSpan.FromMinutes(90) },
        { "--conntrack-tcp-timeout-established=0", it => it.ConntrackSysctls.TcpEstablishedTimeout, null },
        { "--conntrack-tcp-timeout-close-wait=2s", it => it.ConntrackSysctls.TcpCloseWaitTimeout, TimeSpan.FromSeconds(2) },
        { "--conntrack-tcp-be-liberal", it => it.ConntrackSysctls.TcpBeLiberal, true },
        { "--conntrack-tcp-be-liberal=false", it => it.ConntrackSysctls.TcpBeLiberal, false },
        { "--conntrack-udp-timeout=3s", it => it.ConntrackSysctls.UdpTimeout, TimeSpan.FromSeconds(3) },
        { "--conntrack-udp-timeout-stream=4s", it => it.ConntrackSysctls.UdpStreamTimeout, TimeSpan.FromSeconds(4) },
        { "-v=2", it => it.LogLevel, LogLevel.Information },
        { "-v 4", it => it.LogLevel, LogLevel.Debug },
        { "--v=7", it => it.LogLevel, LogLevel.Debug },
        { "--v=8", it => it.LogLevel, LogLevel.Trace },
        { "--v=8 --log-level warning", it => it.LogLevel, LogLevel.Warning },
        { "--nodeport-addresses=10.0.0.0/8", it => string.Join('|', it.Devices.NodePorts.Prefixes), "10.0.0.0/8|::/0" },
        { "--nodeport-addresses=fd00::/8", it => string.Join('|', it.Devices.NodePorts.Prefixes), "fd00::/8|0.0.0.0/0" },
        { "--nodeport-addresses=", it => it.Devices.NodePorts.Prefixes.Count, 0 },
        { "--proxy-mode=nftables", it => it.Devices.NodePorts.Primary, true },
        { "--proxy-mode=iptables", it => it.Devices.NodePorts.Primary, false },
        { "--proxy-mode=nftables --nodeport-addresses=0.0.0.0/0", it => it.Devices.NodePorts.Primary, false },
    };

    public static TheoryData<string> PassedOverFlags => new(
        "--cluster-cidr=10.244.0.0/16", "--config-sync-period=15m0s", "--detect-local-mode=NodeCIDR", "--pod-bridge-interface=br0",
        "--pod-interface-name-prefix=veth", "--feature-gates=A=true,B=false", "--kube-api-burst=10", "--kube-api-content-type=application/json",
        "--kube-api-qps=5", "--show-hidden-metrics-for-version=1.35", "--iptables-masquerade-bit=13", "--iptables-min-sync-period=1s",
        "--ipvs-exclude-cidrs=10.0.0.0/8,fd00::/8", "--ipvs-min-sync-period=1s", "--ipvs-scheduler=rr", "--ipvs-tcp-timeout=1s",
        "--ipvs-tcpfin-timeout=1s", "--ipvs-udp-timeout=1s", "--logging-format=json", "--log-flush-frequency=1s",
        "--log-text-info-buffer-size=64Ki", "--log-json-info-buffer-size=64Ki", "--vmodule=a=1", "--profiling", "--masquerade-all",
        "--iptables-localhost-nodeports=false", "--ipvs-strict-arp", "--log-text-split-stream", "--log-json-split-stream",
        "--proxy-mode=ipvs");

    [Fact]
    public void Every_flag_of_kube_proxy_is_known_and_tested_here()
    {
        Assert.Equal(FlagsOfKubeProxy, KubeProxyFlags.All.Select(flag => flag.Name).Concat(OwnOptions).Order(StringComparer.Ordinal));
        var tested = BoundFlags.Cast<object[]>().Concat(PassedOverFlags.Cast<object[]>()).Select(row => ((string)row[0]).Split('=', ' ')[0]);
        string[] elsewhere = ["--cleanup", "--init-only", "--write-config-to"];
        Assert.Empty(FlagsOfKubeProxy.Except(OwnOptions).Except(elsewhere).Except(tested));
    }

    [Theory]
    [MemberData(nameof(BoundFlags))]
    public void A_flag_of_the_same_meaning_is_bound(string line, Func<AgentOptions, object?> read, object? expected) =>
        Assert.Equal(expected, read(Start(line)));

    [Theory]
    [MemberData(nameof(PassedOverFlags))]
    public void A_flag_that_means_nothing_is_taken_and_named_once(string line) => Assert.Equal(
        [$"these flags mean nothing here and are passed over: {line.Split('=')[0]}"], Start(line).Warnings);

    [Fact]
    public void All_of_them_are_named_in_one_line()
    {
        string line = "--masquerade-all --cluster-cidr=10.244.0.0/16 --profiling=false --iptables-localhost-nodeports --ipvs-scheduler=";
        Assert.Equal(["these flags mean nothing here and are passed over: --cluster-cidr, --masquerade-all"], Start(line).Warnings);
    }

    [Fact]
    public void A_bind_address_that_no_node_reaches_is_left_out()
    {
        var options = Start("--bind-address=127.0.0.1");
        Assert.Empty(options.Devices.NodeAddresses);
        Assert.StartsWith("the bind address 127.0.0.1 cannot be the node's own", Assert.Single(options.Warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--cleanup", "--cleanup: the agent does not do this; 'ebpflb cleanup' takes everything off the node.")]
    [InlineData("--init-only", "--init-only: the agent does not do this; leave the first container out")]
    [InlineData("--write-config-to=x", "--write-config-to: the agent does not do this; there is no file to write")]
    [InlineData("--oom-score-adj=1001", "--oom-score-adj 1001: this is not a whole number from -1000 to 1000.")]
    [InlineData("--conntrack-min=-1", "--conntrack-min -1: this is not a whole number from 0 to 2147483647.")]
    [InlineData("--conntrack-max-per-core=", "--conntrack-max-per-core : this is not a whole number from 0 to 2147483647.")]
    [InlineData("--conntrack-udp-timeout=30", "--conntrack-udp-timeout 30: this is not a duration such as 1m30s or 0s.")]
    [InlineData("--conntrack-tcp-be-liberal=maybe", "--conntrack-tcp-be-liberal maybe: this is not true or false.")]
    [InlineData("--healthz-bind-address=10256", "--healthz-bind-address 10256: this is not ADDRESS:PORT, [ADDRESS]:PORT, an address, or none.")]
    [InlineData("--healthz-port=65536", "--healthz-port 65536: this is not a whole number from 0 to 65535.")]
    [InlineData("--bind-address=node1", "--bind-address node1: this is not an IP address.")]
    [InlineData("--v=high", "--v high: this is not a whole number from 0 to 2147483647.")]
    [InlineData("--ipvs-tcp-timeout=x", "--ipvs-tcp-timeout x: this is not a duration such as 1m30s or 0s.")]
    [InlineData("--udp-timeout=250ms", "Unrecognized command or argument '--udp-timeout=250ms'.")]
    public void A_wrong_flag_is_told(string line, string expected)
    {
        var result = Shell.Run(["agent", "--manifests", "/tmp", .. line.Split(' ')]);
        Assert.Equal(ExitCode.WrongUsage, result.ExitCode);
        Assert.StartsWith($"error: {expected}", result.Error, StringComparison.Ordinal);
        Assert.Equal(2, result.Error.TrimEnd('\n').Split('\n').Length);
    }

    [Theory]
    [InlineData("--cleanup=false")]
    [InlineData("--init-only=false")]
    public void What_is_not_asked_for_is_no_error(string line) => Assert.Empty(Start(line).Warnings);

    [Fact]
    public void Flags_win_over_the_file()
    {
        using var root = new TemporaryDirectory();
        string config = Config(
            root, "hostnameOverride: Of-File\nhealthzBindAddress: 127.0.0.1:1\nmetricsBindAddress: 127.0.0.1:2\noomScoreAdj: 5\n"
            + "nodePortAddresses: [10.0.0.0/8]\nlogging:\n  verbosity: 4\nmode: nftables\nclusterCIDR: 10.244.0.0/16\n"
            + "conntrack:\n  maxPerCore: 11\n  min: 12\n  tcpBeLiberal: true\nunknown: 1\n");
        var file = Start($"--config={config}");
        Assert.Equal(("of-file", 5, LogLevel.Debug), (file.NodeName, file.OomScoreAdj, file.LogLevel));
        Assert.Equal((IPEndPoint.Parse("127.0.0.1:1"), IPEndPoint.Parse("127.0.0.1:2")), (file.Serving.Healthz, file.Serving.Metrics));
        Assert.Equal("10.0.0.0/8|::/0", string.Join('|', file.Devices.NodePorts.Prefixes));
        Assert.Equal(ConntrackSysctls.LeaveAll with { MaxPerCore = 11, Min = 12, TcpBeLiberal = true }, file.ConntrackSysctls);
        Assert.Equal(
            [
                $"{config}:16: 'unknown' is no field of a KubeProxyConfiguration, and ignored",
                $"{config}: these fields mean nothing here and are passed over: mode, clusterCIDR",
            ],
            file.Warnings);

        var both = Start(
            $"--config={config} --hostname-override=of-line --healthz-bind-address=none --oom-score-adj=6 --nodeport-addresses=primary "
            + "--v=0 --conntrack-max-per-core=21 --conntrack-tcp-be-liberal=false");
        Assert.Equal(("of-line", 6, LogLevel.Information), (both.NodeName, both.OomScoreAdj, both.LogLevel));
        Assert.Equal((null, IPEndPoint.Parse("127.0.0.1:2")), (both.Serving.Healthz, both.Serving.Metrics));
        Assert.True(both.Devices.NodePorts.Primary);
        Assert.Equal(ConntrackSysctls.LeaveAll with { MaxPerCore = 21, Min = 12 }, both.ConntrackSysctls);
    }

    [Fact]
    public void What_is_wrong_in_the_file_and_on_the_line_is_told_at_once()
    {
        using var root = new TemporaryDirectory();
        string config = Config(root, "hostnameOverride: 5\nconntrack:\n  min: x\n");
        var result = Shell.Run("agent", "--config", config, "--oom-score-adj=high", "--xdp", "fast");
        Assert.Equal(ExitCode.WrongUsage, result.ExitCode);
        Assert.Equal(
            [
                $"error: {config}:3: hostnameOverride: the number 5 is not text.",
                $"error: {config}:5: conntrack.min: the string 'x' is not a whole number from 0 to 2147483647.",
                "error: --oom-score-adj high: this is not a whole number from -1000 to 1000.",
                "error: --xdp fast: there is no such mode. Use one of auto|native|generic|off.",
                "Try 'ebpflb agent --help'.",
            ],
            result.Error.TrimEnd('\n').Split('\n'));
    }

    [Fact]
    public void The_arguments_of_kubeadms_DaemonSet_are_taken_as_they_are()
    {
        using var root = new TemporaryDirectory();
        string kubeconfig = root.Combine("kubeconfig.conf");
        File.WriteAllText(kubeconfig, "");
        string config = Config(root, $"clientConnection:\n  kubeconfig: {kubeconfig}\nbindAddress: 0.0.0.0\nmode: \"\"\n");
        var shell = new Shell();
        var result = shell.Type("agent", $"--config={config}", "--hostname-override=node1");
        Assert.Equal((ExitCode.Done, ""), (result.ExitCode, result.Error));
        Assert.Equal(("node1", kubeconfig), (shell.Started!.NodeName, shell.Started.Api!.Kubeconfigs.Single()));
        Assert.Empty(shell.Started.Warnings);
    }

    [Fact]
    public void Help_and_completion_leave_out_what_means_nothing()
    {
        string help = Shell.Run("agent", "--help").Out;
        Assert.Contains("  --healthz-bind-address <", help, StringComparison.Ordinal);
        Assert.Contains("Options win over", help, StringComparison.Ordinal);
        Assert.DoesNotContain("  --ipvs", help, StringComparison.Ordinal);
        Assert.DoesNotContain("  --v", help, StringComparison.Ordinal);
        string line = "ebpflb agent --";
        string[] suggestions = Shell.Run($"[suggest:{line.Length}]", line).Lines;
        Assert.Contains("--kubeconfig", suggestions);
        Assert.DoesNotContain("--ipvs-scheduler", suggestions);
    }

    private static AgentOptions Start(string line)
    {
        var shell = new Shell();
        var result = shell.Type(["agent", "--manifests", "/tmp", .. line.Split(' ')]);
        Assert.Equal((ExitCode.Done, ""), (result.ExitCode, result.Error));
        return shell.Started!;
    }

    private static string Config(TemporaryDirectory root, string text)
    {
        string path = root.Combine("config.conf");
        File.WriteAllText(path, $"apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n{text}");
        return path;
    }
}
