// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json.Nodes;
using EbpfLb.Agent;
using EbpfLb.Cli.Tests.Support;
using EbpfLb.Datapath.Audit;
using EbpfLb.Datapath.Maps;
using EbpfLb.Linux.Bpf;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Cli.Tests;

/// <summary>The command: its words and statuses over made-up findings, and what it finds and mends on a node of its own.</summary>
public sealed class AuditTests : IDisposable
{
    private const string Web =
        """
        apiVersion: v1
        kind: Service
        metadata: {name: web, namespace: shop}
        spec:
          clusterIPs: [10.96.0.20]
          ipFamilies: [IPv4]
          ports: [{port: 80, targetPort: 8080}]
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: web-1, namespace: shop, labels: {kubernetes.io/service-name: web}}
        addressType: IPv4
        ports: [{port: 8080, protocol: TCP}]
        endpoints: [{addresses: [10.244.1.3]}, {addresses: [10.244.0.3]}]
        """;

    private static readonly Divergence Lost = new(
        MapNames.Backends, DivergenceKind.Missing, "10.244.1.3:8080 of shop/web (TCP, IPv4)", "shop/web (TCP, IPv4)", "TCP, InCluster");

    private static readonly Divergence Foreign = new(MapNames.Vips, DivergenceKind.Extra, "192.0.2.1\u001b[31m", "", "", "None");

    private readonly TemporaryDirectory _manifests = new();

    public void Dispose() => _manifests.Dispose();

    [Fact]
    public void Nothing_that_differs_is_status_0()
    {
        var result = Run(new AuditFindings([], [], IsAgentRunning: true));
        Assert.Equal((ExitCode.Done, "Nothing differs.\n", ""), (result.ExitCode, result.Out, result.Error));
    }

    [Fact]
    public void What_differs_is_status_1_and_a_row_each()
    {
        var result = Run(new AuditFindings([Lost, Foreign], [], IsAgentRunning: false));
        Assert.Equal(ExitCode.Failed, result.ExitCode);
        Assert.Equal(
            [
                "WHERE KIND KEY SERVICE", "backends_v1 missing 10.244.1.3:8080 of shop/web (TCP, IPv4) shop/web (TCP, IPv4)",
                @"vips_v1 extra 192.0.2.1\x1b[31m -",
            ],
            result.Rows);
        Assert.Equal("'ebpflb audit --repair', with the same options, mends it, if they are the agent's.\n", result.Error);
        Assert.EndsWith("EXPECTED ACTUAL", Run(new AuditFindings([Lost], [], false), "-o", "wide").Rows[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_repair_tells_what_was_mended_by_whom_and_what_is_left()
    {
        var all = Run(new AuditFindings([], [Lost], IsAgentRunning: true), "--repair");
        Assert.Equal(ExitCode.Done, all.ExitCode);
        Assert.StartsWith("Repaired by the agent:\n", all.Out, StringComparison.Ordinal);
        Assert.EndsWith("\nNothing differs any more.\n", all.Out, StringComparison.Ordinal);

        var some = Run(new AuditFindings([Foreign], [Lost], IsAgentRunning: false), "--repair");
        Assert.Equal(ExitCode.Failed, some.ExitCode);
        Assert.StartsWith("Repaired by this command:\n", some.Out, StringComparison.Ordinal);
        Assert.Contains("\nStill different:\n", some.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("json")]
    [InlineData("yaml")]
    public void Formats_have_the_same_keys(string format)
    {
        string text = Run(new AuditFindings([Lost], [Foreign], IsAgentRunning: true), "--repair", "-o", format).Out;
        var json = format == "json" ? JsonNode.Parse(text)! : YamlReader.Read(text)!;
        Assert.True(json["agentRunning"]!.GetValue<bool>());
        var one = json["divergences"]![0]!;
        Assert.Equal(
            ("backends_v1", "missing", "shop/web (TCP, IPv4)", "TCP, InCluster"),
            ((string)one["where"]!, (string)one["kind"]!, (string)one["service"]!, (string)one["expected"]!));
        Assert.Null(one["actual"]);
        Assert.Equal("extra", (string)json["repaired"]![0]!["kind"]!);
    }

    [Fact]
    public void Options_are_judged_as_the_agents_are()
    {
        var result = new Shell().Type("audit", "--manifests", _manifests.Path, "--xdp", "quick", "--maglev-seed", "x");
        Assert.Equal(ExitCode.WrongUsage, result.ExitCode);
        Assert.Contains("error: --xdp quick: ", result.Error, StringComparison.Ordinal);
        Assert.EndsWith("Try 'ebpflb audit --help'.\n", result.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.WrongUsage, new Shell().Type("audit", "--repiar").ExitCode);
    }

    [PrivilegedFact]
    public void Without_an_agent_the_command_finds_what_was_changed_and_mends_it_itself()
    {
        using var node = new TestNode();
        File.WriteAllText(_manifests.Combine("web.yaml"), Web);
        node.Stop();
        // Nothing is programmed yet.
        var result = OnNode(node);
        Assert.Equal(ExitCode.Failed, result.ExitCode);
        Assert.Contains(result.Rows, row => row.StartsWith("services_v1 missing shop/web (TCP, IPv4)", StringComparison.Ordinal));

        result = OnNode(node, "--repair");
        Assert.Equal((ExitCode.Done, ""), (result.ExitCode, result.Error));
        Assert.EndsWith("\nNothing differs any more.\n", result.Out, StringComparison.Ordinal);
        Assert.Equal("Nothing differs.\n", OnNode(node).Out);

        using (var map = BpfMap.OpenPinned(Path.Combine(node.PinPath, MapNames.Vips)))
            Assert.Equal(default, map.Update(Address.Parse("192.0.2.1"), 0u));
        File.Delete(Path.Combine(node.PinPath, "links", "sock_connect4"));
        result = OnNode(node);
        Assert.Equal(
            ["WHERE KIND KEY SERVICE", "links missing sock_connect4 -", "vips_v1 extra 192.0.2.1 -"], result.Rows);
        // It was only told.
        Assert.Equal(ExitCode.Failed, OnNode(node).ExitCode);
        Assert.Equal(ExitCode.Done, OnNode(node, "--repair").ExitCode);
        Assert.Equal("Nothing differs.\n", OnNode(node).Out);
        Assert.Single(BpfCgroupPrograms(node));
    }

    [PrivilegedFact]
    public void Where_nothing_is_installed_nothing_is_audited()
    {
        using var node = new TestNode(installed: false);
        var result = OnNode(node, "--repair");
        Assert.Equal(ExitCode.Failed, result.ExitCode);
        Assert.StartsWith("error: No datapath is installed on ", result.Error, StringComparison.Ordinal);
    }

    private static IReadOnlyList<uint> BpfCgroupPrograms(TestNode node)
    {
        using var cgroup = EbpfLb.Linux.Cgroups.CgroupDirectory.Open(node.Cgroup);
        return BpfCgroup.QueryPrograms(cgroup, BpfAttachType.CgroupInet4Connect, effective: false, out _);
    }

    private Shell.Result Run(AuditFindings findings, params string[] options)
    {
        var shell = new Shell { Findings = findings };
        var result = shell.Type(["audit", "--manifests", _manifests.Path, .. options]);
        Assert.Equal(options.Contains("--repair"), shell.Repaired);
        return result;
    }

    private Shell.Result OnNode(TestNode node, params string[] options) => Shell.Run(
        ["audit", "--manifests", _manifests.Path, "--node-name", "node1", "--devices", "none", "--bpffs", node.BpfFs, .. options]);
}
