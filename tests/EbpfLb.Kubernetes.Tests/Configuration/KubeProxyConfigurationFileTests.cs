// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using System.Text;
using EbpfLb.Kubernetes.Configuration;

namespace EbpfLb.Kubernetes.Tests.Configuration;

public sealed class KubeProxyConfigurationFileTests
{
    private const string Head = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n";

    // What kubeadm 1.36 has in its ConfigMap of a cluster with one pod network: every field, most of them without a value.
    private const string Kubeadm =
        """
        apiVersion: kubeproxy.config.k8s.io/v1alpha1
        bindAddress: 0.0.0.0
        bindAddressHardFail: false
        clientConnection:
          acceptContentTypes: ""
          burst: 0
          contentType: ""
          kubeconfig: /var/lib/kube-proxy/kubeconfig.conf
          qps: 0
        clusterCIDR: 10.244.0.0/16
        configSyncPeriod: 0s
        conntrack:
          maxPerCore: null
          min: null
          tcpBeLiberal: false
          tcpCloseWaitTimeout: null
          tcpEstablishedTimeout: null
          udpStreamTimeout: 0s
          udpTimeout: 0s
        detectLocal:
          bridgeInterface: ""
          interfaceNamePrefix: ""
        detectLocalMode: ""
        enableProfiling: false
        healthzBindAddress: ""
        hostnameOverride: ""
        iptables:
          localhostNodePorts: null
          masqueradeAll: false
          masqueradeBit: null
          minSyncPeriod: 0s
          syncPeriod: 0s
        ipvs:
          excludeCIDRs: null
          minSyncPeriod: 0s
          scheduler: ""
          strictARP: false
          syncPeriod: 0s
          tcpFinTimeout: 0s
          tcpTimeout: 0s
          udpTimeout: 0s
        kind: KubeProxyConfiguration
        logging:
          flushFrequency: 0
          options:
            json:
              infoBufferSize: "0"
            text:
              infoBufferSize: "0"
          verbosity: 0
        metricsBindAddress: ""
        mode: ""
        nftables:
          masqueradeAll: false
          masqueradeBit: null
          minSyncPeriod: 0s
          syncPeriod: 0s
        nodePortAddresses: null
        oomScoreAdj: null
        portRange: ""
        showHiddenMetricsForVersion: ""
        winkernel:
          enableDSR: false
          forwardHealthCheckVip: false
          networkName: ""
          rootHnsEndpointName: ""
          sourceVip: ""
        """;

    public static TheoryData<string, string, Func<KubeProxyConfiguration, object?>, object> BoundFields => new()
    {
        { "clientConnection.kubeconfig", "/etc/kubeconfig", it => it.Kubeconfig, "/etc/kubeconfig" },
        { "hostnameOverride", "Node-1", it => it.NodeName, "Node-1" },
        { "bindAddress", "'::'", it => it.BindAddress, IPAddress.IPv6Any },
        { "bindAddressHardFail", "yes", it => it.BindAddressHardFail, true },
        { "healthzBindAddress", "127.0.0.1:1", it => it.Healthz, new ServingAddress(IPAddress.Loopback, 1) },
        { "healthzBindAddress", "0.0.0.0", it => it.Healthz, new ServingAddress(IPAddress.Any, null) },
        { "healthzBindAddress", "none", it => it.Healthz, ServingAddress.None },
        { "metricsBindAddress", "'0'", it => it.Metrics, ServingAddress.None },
        { "metricsBindAddress", "'[::1]:2'", it => it.Metrics, new ServingAddress(IPAddress.IPv6Loopback, 2) },
        { "nodePortAddresses", "[10.0.0.0/8, 'fd00::/8']", it => string.Join('|', it.NodePortAddresses!), "10.0.0.0/8|fd00::/8" },
        { "nodePortAddresses", "[primary]", it => string.Join('|', it.NodePortAddresses!), "primary" },
        { "iptables.syncPeriod", "10s", it => it.SyncPeriod, TimeSpan.FromSeconds(10) },
        { "ipvs.syncPeriod", "1m", it => it.IpvsSyncPeriod, TimeSpan.FromMinutes(1) },
        { "nftables.syncPeriod", "1h0m0s", it => it.NftablesSyncPeriod, TimeSpan.FromHours(1) },
        { "logging.verbosity", "4", it => it.Verbosity, 4 },
        { "oomScoreAdj", "-500", it => it.OomScoreAdj, -500 },
        { "oomScoreAdj", "0", it => it.OomScoreAdj, 0 },
        { "conntrack.maxPerCore", "0", it => it.ConntrackMaxPerCore, 0 },
        { "conntrack.maxPerCore", "0x10", it => it.ConntrackMaxPerCore, 16 },
        { "conntrack.min", "1000", it => it.ConntrackMin, 1000 },
        { "conntrack.tcpEstablishedTimeout", "0s", it => it.TcpEstablishedTimeout, TimeSpan.Zero },
        { "conntrack.tcpCloseWaitTimeout", "1h", it => it.TcpCloseWaitTimeout, TimeSpan.FromHours(1) },
        { "conntrack.tcpBeLiberal", "true", it => it.TcpBeLiberal, true },
        { "conntrack.udpTimeout", "30s", it => it.UdpTimeout, TimeSpan.FromSeconds(30) },
        { "conntrack.udpStreamTimeout", "5m", it => it.UdpStreamTimeout, TimeSpan.FromMinutes(5) },
        { "mode", "nftables", it => it.Mode, "nftables" },
    };

    // Each with a value that says something.
    public static TheoryData<string, string> PassedOverFields => new()
    {
        { "clientConnection.acceptContentTypes", "application/json" },
        { "clientConnection.contentType", "application/json" },
        { "clientConnection.qps", "5.5" },
        { "clientConnection.burst", "10" },
        { "mode", "ipvs" },
        { "clusterCIDR", "10.244.0.0/16" },
        { "detectLocalMode", "ClusterCIDR" },
        { "detectLocal.bridgeInterface", "br0" },
        { "detectLocal.interfaceNamePrefix", "veth" },
        { "configSyncPeriod", "15m0s" },
        { "enableProfiling", "true" },
        { "featureGates", "{A: true, B: false}" },
        { "portRange", "1-2" },
        { "showHiddenMetricsForVersion", "'1.35'" },
        { "windowsRunAsService", "true" },
        { "iptables.masqueradeAll", "true" },
        { "iptables.masqueradeBit", "0" },
        { "iptables.localhostNodePorts", "false" },
        { "iptables.snatNodeInternalIP", "true" },
        { "iptables.minSyncPeriod", "1s" },
        { "nftables.masqueradeAll", "true" },
        { "nftables.masqueradeBit", "13" },
        { "nftables.minSyncPeriod", "1s" },
        { "ipvs.minSyncPeriod", "1s" },
        { "ipvs.scheduler", "rr" },
        { "ipvs.excludeCIDRs", "[10.0.0.0/8]" },
        { "ipvs.strictARP", "true" },
        { "ipvs.tcpTimeout", "1s" },
        { "ipvs.tcpFinTimeout", "1s" },
        { "ipvs.udpTimeout", "1s" },
        { "winkernel.networkName", "net" },
        { "winkernel.sourceVip", "10.0.0.1" },
        { "winkernel.enableDSR", "true" },
        { "winkernel.rootHnsEndpointName", "cbr0" },
        { "winkernel.forwardHealthCheckVip", "true" },
        { "logging.format", "json" },
        { "logging.flushFrequency", "1s" },
        { "logging.vmodule", "[{filePattern: proxier, verbosity: 5}]" },
        { "logging.options.text.splitStream", "true" },
        { "logging.options.text.infoBufferSize", "64Ki" },
        { "logging.options.json.splitStream", "true" },
        { "logging.options.json.infoBufferSize", "64" },
    };

    [Fact]
    public void The_file_that_kubeadm_writes_is_taken_and_the_pod_network_is_all_that_is_passed_over()
    {
        var file = Parse(Kubeadm);
        Assert.Empty(file.Errors);
        Assert.Equal(["config.conf: these fields mean nothing here and are passed over: clusterCIDR"], file.Warnings);
        Assert.Equal(
            new KubeProxyConfiguration { Kubeconfig = "/var/lib/kube-proxy/kubeconfig.conf", BindAddress = IPAddress.Any },
            file.Configuration);
    }

    [Fact]
    public void It_names_every_field_but_those_that_are_left_out_when_they_are_empty()
    {
        var named = KubeProxyFields.All.Select(field => field.Path).Where(path => HasField(Kubeadm, path));
        Assert.Equal(
            [
                "featureGates", "iptables.snatNodeInternalIP", "logging.format", "logging.options.json.splitStream",
                "logging.options.text.splitStream", "logging.vmodule", "windowsRunAsService",
            ],
            KubeProxyFields.All.Select(field => field.Path).Except(named).Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(BoundFields))]
    public void A_field_that_means_something_is_bound(
        string path, string value, Func<KubeProxyConfiguration, object?> read, object expected)
    {
        var file = Parse(Head + Nested(path, value));
        Assert.Empty(file.Errors);
        Assert.Equal(expected, read(file.Configuration));
        Assert.All(file.Warnings, warning => Assert.Equal("mode", path));
    }

    [Theory]
    [MemberData(nameof(PassedOverFields))]
    public void A_field_that_means_nothing_is_named_once_where_it_says_something(string path, string value)
    {
        var file = Parse(Head + Nested(path, value));
        Assert.Empty(file.Errors);
        Assert.Equal([$"config.conf: these fields mean nothing here and are passed over: {path}"], file.Warnings);
        Assert.Equal(new KubeProxyConfiguration(), file.Configuration with { Mode = null });
    }

    [Fact]
    public void The_tables_of_this_test_have_every_field()
    {
        var tested = BoundFields.Concat(PassedOverFields.Cast<object[]>()).Select(row => (string)row[0]).Distinct();
        Assert.Equal(KubeProxyFields.All.Select(field => field.Path).Order(), tested.Order());
    }

    [Theory]
    [InlineData("iptables.localhostNodePorts", "true")]
    [InlineData("iptables.masqueradeBit", "14")]
    [InlineData("logging.format", "text")]
    [InlineData("logging.flushFrequency", "5s")]
    [InlineData("logging.flushFrequency", "5000000000")]
    [InlineData("clientConnection.contentType", "application/vnd.kubernetes.protobuf")]
    [InlineData("featureGates", "{}")]
    [InlineData("detectLocal", "null")]
    public void What_is_so_anyway_is_not_worth_a_warning(string path, string value)
    {
        var file = Parse(Head + Nested(path, value));
        Assert.Empty(file.Errors);
        Assert.Empty(file.Warnings);
    }

    [Theory]
    [InlineData("ipvs")]
    [InlineData("nftables")]
    [InlineData("iptables")]
    public void The_sync_period_is_that_of_the_mode(string mode)
    {
        string periods = "iptables: {syncPeriod: 8s}\nipvs: {syncPeriod: 4s}\nnftables: {syncPeriod: 8s}\n";
        var period = Parse($"{Head}{periods}mode: {mode}\n").Configuration.SyncPeriod;
        Assert.Equal(mode == "ipvs" ? 4 : 8, period!.Value.TotalSeconds);
    }

    [Fact]
    public void Unknown_fields_are_warned_about_each_with_its_line_and_the_rest_is_taken()
    {
        var file = Parse(Head + "udpIdleTimeout: 250ms\nconntrack:\n  max: null\n  min: 7\nresourceContainer: /kube-proxy\nMode: x\n");
        Assert.Empty(file.Errors);
        Assert.Equal(
            [
                "config.conf:3: 'udpIdleTimeout' is no field of a KubeProxyConfiguration, and ignored",
                "config.conf:5: 'conntrack.max' is no field of a KubeProxyConfiguration, and ignored",
                "config.conf:7: 'resourceContainer' is no field of a KubeProxyConfiguration, and ignored",
                "config.conf:8: 'Mode' is no field of a KubeProxyConfiguration, and ignored",
            ],
            file.Warnings);
        Assert.Equal(7, file.Configuration.ConntrackMin);
    }

    [Theory]
    [InlineData("hostnameOverride: 5", "3: hostnameOverride: the number 5 is not text.")]
    [InlineData("hostnameOverride: [a]", "3: hostnameOverride: a list is not text.")]
    [InlineData("bindAddressHardFail: 1", "3: bindAddressHardFail: the number 1 is not true or false.")]
    [InlineData("bindAddressHardFail: 'true'", "3: bindAddressHardFail: the string 'true' is not true or false.")]
    [InlineData("oomScoreAdj: 1001", "3: oomScoreAdj: the number 1001 is not a whole number from -1000 to 1000.")]
    [InlineData("conntrack:\n  min: '5'", "4: conntrack.min: the string '5' is not a whole number from 0 to 2147483647.")]
    [InlineData("conntrack:\n  min: -1", "4: conntrack.min: the number -1 is not a whole number from 0 to 2147483647.")]
    [InlineData("conntrack:\n  maxPerCore: 3000000000", "4: conntrack.maxPerCore: the number 3000000000 is not a whole number")]
    [InlineData("conntrack:\n  udpTimeout: 30", "4: conntrack.udpTimeout: the number 30 is not a duration such as 1m30s or 0s.")]
    [InlineData("conntrack:\n  udpTimeout: 1d", "4: conntrack.udpTimeout: the string '1d' is not a duration such as 1m30s or 0s.")]
    [InlineData("conntrack:\n  udpTimeout: -1s", "4: conntrack.udpTimeout: the string '-1s' is not a duration such as 1m30s or 0s.")]
    [InlineData("conntrack: 5", "3: conntrack: the number 5 is not a mapping.")]
    [InlineData("bindAddress: 300.0.0.1", "3: bindAddress: the string '300.0.0.1' is not an IP address.")]
    [InlineData("healthzBindAddress: host:1", "3: healthzBindAddress: the string 'host:1' is not ADDRESS:PORT, [ADDRESS]:PORT")]
    [InlineData("nodePortAddresses: 10.0.0.0/8", "3: nodePortAddresses: the string '10.0.0.0/8' is not a list.")]
    [InlineData("nodePortAddresses:\n- 10.0.0.0/8\n- x", "5: nodePortAddresses: the string 'x' is not a prefix such as 10.0.0.0/8")]
    [InlineData("nodePortAddresses: [primary, 10.0.0.0/8]", "3: nodePortAddresses: a list is not a prefix such as 10.0.0.0/8, or the word")]
    [InlineData("featureGates: {A: maybe}", "3: featureGates: the string 'maybe' is not true or false.")]
    [InlineData("featureGates: A=true", "3: featureGates: the string 'A=true' is not a mapping.")]
    [InlineData("logging:\n  vmodule: a=1", "4: logging.vmodule: the string 'a=1' is not a list.")]
    [InlineData("ipvs:\n  strictARP: maybe", "4: ipvs.strictARP: the string 'maybe' is not true or false.")]
    [InlineData("mode: a\nmode: b", "4: the key 'mode' appears twice in one mapping.")]
    public void A_wrong_value_is_told_with_file_line_field_value_and_what_is_expected(string text, string expected)
    {
        string error = Assert.Single(Parse(Head + text + "\n").Errors);
        Assert.StartsWith($"config.conf:{expected}", error, StringComparison.Ordinal);
    }

    [Fact]
    public void All_that_is_wrong_is_told_at_once()
    {
        var file = Parse(Head + "hostnameOverride: 5\nconntrack:\n  min: x\n  maxPerCore: y\nbindAddress: z\n");
        Assert.Equal([3, 5, 6, 7], file.Errors.Select(error => int.Parse(error.Split(':')[1])));
    }

    [Theory]
    [InlineData("", "1: one KubeProxyConfiguration is expected, and nothing else.")]
    [InlineData("# only a comment\n", "1: one KubeProxyConfiguration is expected, and nothing else.")]
    [InlineData("- a\n", "1: one KubeProxyConfiguration is expected, and nothing else.")]
    [InlineData(Head + "---\n" + Head, "4: one KubeProxyConfiguration is expected, and nothing else.")]
    [InlineData(
        "apiVersion: kubeproxy.config.k8s.io/v1alpha2\nkind: KubeProxyConfiguration\n",
        "1: apiVersion: the string 'kubeproxy.config.k8s.io/v1alpha2' is not read; write kubeproxy.config.k8s.io/v1alpha1.")]
    [InlineData("kind: KubeProxyConfiguration\nmode: 5\n", "1: apiVersion: it is missing; write kubeproxy.config.k8s.io/v1alpha1.")]
    [InlineData(
        "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeletConfiguration\n",
        "2: kind: the string 'KubeletConfiguration' is not read; write KubeProxyConfiguration.")]
    [InlineData("a: [\n", "2: not valid YAML: ")]
    [InlineData("{\"apiVersion\": 1\n,}", "2: not valid JSON: ")]
    public void A_file_that_is_no_such_object_is_refused_as_a_whole(string text, string expected)
    {
        string error = Assert.Single(Parse(text).Errors);
        Assert.StartsWith($"config.conf:{expected}", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_a_ConfigMap_the_way_out_is_told()
    {
        var errors = Parse("apiVersion: v1\nkind: ConfigMap\ndata: {}\n").Errors;
        Assert.Equal(2, errors.Count);
        Assert.EndsWith("Name a file with what the ConfigMap has below data.", errors[1], StringComparison.Ordinal);
    }

    [Fact]
    public void JSON_is_read_whatever_the_file_is_called()
    {
        var file = Parse(
            "\n\t{\"apiVersion\":\"kubeproxy.config.k8s.io/v1alpha1\",\"kind\":\"KubeProxyConfiguration\",\n\t\"conntrack\":{\"min\":9}}");
        Assert.Empty(file.Errors);
        Assert.Equal(9, file.Configuration.ConntrackMin);
    }

    [Fact]
    public void What_a_terminal_would_obey_is_escaped()
    {
        var file = KubeProxyConfigurationFile.Parse(
            "a\u001b[2Jb", Encoding.UTF8.GetBytes(Head + "\"x\\u202ey\": 1\nbindAddress: \"\\e[31m\"\n"));
        string[] texts = [.. file.Errors, .. file.Warnings];
        Assert.Equal(2, texts.Length);
        Assert.All(texts, text => Assert.DoesNotContain(text, c => c < ' ' || c == '\u202e'));
    }

    [Fact]
    public void A_file_that_cannot_be_read_is_named()
    {
        string missing = Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString("N"));
        string error = Assert.Single(KubeProxyConfigurationFile.Read(missing).Errors);
        Assert.StartsWith($"--config {missing}: there is no such file. ", error, StringComparison.Ordinal);

        error = Assert.Single(KubeProxyConfigurationFile.Read(Path.GetTempPath()).Errors);
        Assert.StartsWith($"--config {Path.GetTempPath()}: it is a directory. ", error, StringComparison.Ordinal);
    }

    private static KubeProxyConfigurationFile Parse(string text) =>
        KubeProxyConfigurationFile.Parse("config.conf", Encoding.UTF8.GetBytes(text));

    private static string Nested(string path, string value) =>
        string.Join('\n', path.Split('.').Select((key, depth) => $"{new string(' ', 2 * depth)}{key}:")) + $" {value}\n";

    private static bool HasField(string text, string path)
    {
        int from = 0;
        string[] keys = path.Split('.');
        for (int depth = 0; depth < keys.Length; depth++)
        {
            string line = $"\n{new string(' ', 2 * depth)}{keys[depth]}:";
            int at = ("\n" + text[from..]).IndexOf(line, StringComparison.Ordinal);
            if (at < 0)
                return false;

            from += at;
        }

        return true;
    }
}
