// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json.Nodes;
using EbpfLb.Cli.Tests.Support;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Inspection;

namespace EbpfLb.Cli.Tests;

public sealed class CountersTests
{
    [PrivilegedFact]
    public void Reasons_are_summed_over_the_CPUs_and_explained()
    {
        using var node = new TestNode();
        ulong cpus = node.WriteReason(Hook.TcIngress, Reason.NoLocalEndpoint, 3, 180);
        node.WriteReason(Hook.Xdp, Reason.Failed, 1, 60);
        node.WriteReason(Hook.TcPod, Reason.NewFlow, 5, 500);

        var result = Run(node, "--by", "reason");

        Assert.Equal((ExitCode.Done, ""), (result.ExitCode, result.Error));
        Assert.Equal("HOOK REASON PACKETS BYTES MEANING", result.Header);
        Assert.Equal(
            [
                $"xdp failed {cpus} {60 * cpus} {ReasonText.Meaning(Reason.Failed)}",
                $"tc_ingress no_local_endpoint {3 * cpus} {180 * cpus} {ReasonText.Meaning(Reason.NoLocalEndpoint)}",
                $"tc_pod new_flow {5 * cpus} {500 * cpus} {ReasonText.Meaning(Reason.NewFlow)}",
            ],
            result.Rows);

        string[] all = Run(node, "--by", "reason", "--all").Rows;
        Assert.Equal(Enum.GetValues<Hook>().Length * Enum.GetValues<Reason>().Length, all.Length);
        Assert.Contains($"tc_egress cluster_ip 0 0 {ReasonText.Meaning(Reason.ClusterIP)}", all);
    }

    [Fact]
    public void Every_reason_has_a_name_and_a_meaning_of_its_own()
    {
        var reasons = Enum.GetValues<Reason>();
        Assert.Equal(reasons.Length, reasons.Select(ReasonText.Name).Distinct().Count());
        Assert.Equal(reasons.Length, reasons.Select(ReasonText.Meaning).Distinct().Count());
        Assert.DoesNotContain(ReasonText.Meaning((Reason)9999), reasons.Select(ReasonText.Meaning));
        Assert.All(reasons, reason => Assert.Matches("^[a-z]+(_[a-z]+)*$", ReasonText.Name(reason)));
        Assert.Equal(("refused_no_endpoint", "no_snat_port", "ttl_exceeded", "cluster_ip", "reason_9999"), (
            ReasonText.Name(Reason.RefusedNoEndpoint), ReasonText.Name(Reason.NoSnatPort), ReasonText.Name(Reason.TtlExceeded),
            ReasonText.Name(Reason.ClusterIP), ReasonText.Name((Reason)9999)));
        Assert.Equal(["xdp", "tc_ingress", "tc_egress", "tc_pod"], Enum.GetValues<Hook>().Select(ReasonText.Name));
    }

    [PrivilegedFact]
    public void A_service_has_what_its_backends_have_and_what_its_former_ones_had()
    {
        using var node = Counted();

        var services = Run(node, "--by", "service");
        Assert.Equal("SERVICE PROTOCOL FAMILY CONNECTIONS PACKETS-IN BYTES-IN PACKETS-OUT BYTES-OUT", services.Header);
        Assert.Equal(
            ["id 77 (gone) - - 9 0 0 0 0", "kube-system/dns:dns UDP IPv6 0 1 2 0 0", "shop/web TCP IPv4 111 222 333 444 555"],
            services.Rows);
        Assert.Contains("as of the last sweep", services.Error, StringComparison.Ordinal);

        var backends = Run(node, "--by", "backend");
        Assert.Equal("BACKEND PROTOCOL SERVICE CONNECTIONS PACKETS-IN BYTES-IN PACKETS-OUT BYTES-OUT", backends.Header);
        Assert.Equal(
            [
                "id 5000000 (gone) - - 6 0 0 0 0",
                "[fd00:244::2]:53 UDP kube-system/dns:dns 0 1 2 0 0",
                "10.244.0.3:8080 TCP shop/web 1 2 3 4 5",
                "10.244.1.3:8080 TCP shop/web 10 20 30 40 50",
            ],
            backends.Rows);
        Assert.Equal(2, Run(node, "--by", "backend", "--service", "web").Rows.Length);
        Assert.Single(Run(node, "--by", "service", "-n", "kube-system").Rows);
        Assert.Equal(2, Run(node, "--by", "service", "-n", "kube-system", "--all").Rows.Length);
    }

    [PrivilegedFact]
    public void Without_a_choice_the_tables_stand_below_each_other()
    {
        using var node = Counted();
        node.WriteReason(Hook.Xdp, Reason.MapFull, 1, 60);

        var result = Run(node);

        Assert.Equal(["Reasons:", "Services:", "Backends:"], result.Lines.Where(line => line.EndsWith(':')));
        Assert.Contains("\n\nServices:\nSERVICE ", result.Out, StringComparison.Ordinal);
        Assert.Single(result.Error.TrimEnd('\n').Split('\n'));
        // No packet with a reason belongs to a service.
        Assert.Equal(["Services:", "Backends:"], Run(node, "--service", "shop/web").Lines.Where(line => line.EndsWith(':')));
    }

    [PrivilegedFact]
    public void Nothing_counted_is_said_beside_an_empty_output()
    {
        using var node = new TestNode();

        var table = Run(node);
        Assert.Equal((ExitCode.Done, ""), (table.ExitCode, table.Out));
        Assert.Equal(
            "No packets counted by reason.\nNo traffic counted by service.\nNo traffic counted by backend.\n", table.Error);
        Assert.Equal("""{"reasons":[],"services":[],"backends":[]}""", JsonNode.Parse(Run(node, "-o", "json").Out)!.ToJsonString());
        Assert.Equal("""{"reasons":[]}""", JsonNode.Parse(Run(node, "--by", "reason", "-o", "json").Out)!.ToJsonString());
    }

    [PrivilegedFact]
    public void JSON_has_every_key_and_YAML_says_the_same()
    {
        using var node = Counted();
        ulong cpus = node.WriteReason(Hook.TcEgress, Reason.Unallocated, 2, 120);

        var json = JsonNode.Parse(Run(node, "-o", "json").Out)!;

        var expected = JsonNode.Parse(
            $$"""
            {
              "reason": { "hook": "tc_egress", "reason": "unallocated", "packets": {{2 * cpus}}, "bytes": {{120 * cpus}},
                "meaning": "{{ReasonText.Meaning(Reason.Unallocated)}}" },
              "gone": { "service": "", "serviceId": 77, "protocol": null, "family": null,
                "connections": 9, "packetsIn": 0, "bytesIn": 0, "packetsOut": 0, "bytesOut": 0 },
              "service": { "service": "shop/web", "serviceId": {{node.ServiceId("shop/web")}}, "protocol": "TCP", "family": "IPv4",
                "connections": 111, "packetsIn": 222, "bytesIn": 333, "packetsOut": 444, "bytesOut": 555 },
              "backend": { "backendId": {{node.BackendId("10.244.0.3")}}, "address": "10.244.0.3", "port": 8080, "protocol": "TCP",
                "service": "shop/web", "serviceId": {{node.ServiceId("shop/web")}},
                "connections": 1, "packetsIn": 2, "bytesIn": 3, "packetsOut": 4, "bytesOut": 5 }
            }
            """)!;
        Assert.Equal(expected["reason"]!.ToJsonString(), Assert.Single(json["reasons"]!.AsArray())!.ToJsonString());
        Assert.Equal(expected["gone"]!.ToJsonString(), json["services"]![0]!.ToJsonString());
        Assert.Equal(expected["service"]!.ToJsonString(), json["services"]![2]!.ToJsonString());
        Assert.Equal(expected["backend"]!.ToJsonString(), json["backends"]![2]!.ToJsonString());
        Assert.Null(json["backends"]![0]!["address"]);
        Assert.Equal(json.ToJsonString(), YamlReader.Read(Run(node, "-o", "yaml").Out)!.ToJsonString());
    }

    private static TestNode Counted()
    {
        var node = new TestNode();
        node.Program(Shop.Services);
        node.WriteCounters(node.BackendId("10.244.0.3"), Counters(1));
        node.WriteCounters(node.BackendId("10.244.1.3"), Counters(10));
        node.WriteCounters(node.BackendId("10.244.0.2"), default);
        node.WriteCounters(node.BackendId("fd00:244::2"), new CountersValue { PacketsIn = 1, BytesIn = 2 });
        node.WriteCounters(5_000_000, new CountersValue { Connections = 6 });
        var former = node.Datapath!.Maps.ServiceCounters;
        Assert.True(former.Put(node.ServiceId("shop/web"), Counters(100)).Succeeded);
        Assert.True(former.Put(77, new CountersValue { Connections = 9 }).Succeeded);
        return node;
    }

    private static CountersValue Counters(ulong unit) => new()
    {
        Connections = unit,
        PacketsIn = 2 * unit,
        BytesIn = 3 * unit,
        PacketsOut = 4 * unit,
        BytesOut = 5 * unit,
    };

    private static Shell.Result Run(TestNode node, params string[] args) => Shell.Run(["counters", "--bpffs", node.BpfFs, .. args]);
}
