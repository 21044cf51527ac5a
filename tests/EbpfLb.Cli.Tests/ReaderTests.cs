// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json.Nodes;
using EbpfLb.Cli.Tests.Support;
using EbpfLb.Datapath.Maps;

namespace EbpfLb.Cli.Tests;

/// <summary>Every reader over maps of the kernel, with the agent that wrote them gone.</summary>
public sealed class ReaderTests(ShopNode shop) : IClassFixture<ShopNode>
{
    [PrivilegedFact]
    public void Services_shows_one_line_per_port_and_family()
    {
        var result = shop.Run("services");

        Assert.Equal((ExitCode.Done, ""), (result.ExitCode, result.Error));
        Assert.Equal(
            """
            NAMESPACE/NAME    PORT      FAMILY   FRONTENDS         ALGORITHM    AFFINITY   POLICY           CLUSTER   LOCAL
            kube-system/dns   dns/UDP   IPv4     10.96.0.10:53     random       -          Cluster          2         1
            kube-system/dns   dns/UDP   IPv6     [fd00:96::a]:53   random       -          Cluster          1         0
            shop/empty        TCP       IPv4     10.96.0.30:443    random       -          Cluster          0         0
            shop/web          TCP       IPv4     10.96.0.20:80     maglev=251   600s       internal=Local   2         0

            """.ReplaceLineEndings("\n"),
            result.Out);
        Assert.All(result.Lines, line => Assert.InRange(line.Length, 1, 120));
    }

    [PrivilegedFact]
    public void Services_wide_lists_the_backends_and_marks_them()
    {
        string[] rows = shop.Run("services", "-o", "wide", "-n", "kube-system", "dns").Rows;

        Assert.Equal(
            "kube-system/dns dns/UDP IPv4 10.96.0.10:53 random - Cluster 2 1 ClusterIP 1 10.244.0.2:53,10.244.1.2:53* 10.244.1.2:53*",
            rows[0]);
        Assert.Equal(2, rows.Length);
        Assert.EndsWith("10.244.0.3:8080,10.244.1.3:8080! -", shop.Run("services", "web", "-o", "wide").Rows[0], StringComparison.Ordinal);
    }

    [PrivilegedFact]
    public void Services_are_found_by_name_namespace_and_port()
    {
        Assert.Single(shop.Run("services", "web").Rows);
        Assert.Single(shop.Run("services", "shop/web").Rows);
        Assert.Equal(2, shop.Run("services", "kube-system/dns:dns").Rows.Length);
        Assert.Equal(3, shop.Run("services", "web", "dns").Rows.Length);
        Assert.Equal(2, shop.Run("services", "--namespace", "shop").Rows.Length);
    }

    [PrivilegedFact]
    public void A_service_that_does_not_exist_is_named_and_fails()
    {
        string[][] lines = [["web", "nosuch"], ["-n", "kube-system", "nosuch"], ["other/nosuch"], ["web:nosuch", "nosuch"]];
        foreach (string[] line in lines)
        {
            var result = shop.Run(["services", .. line]);

            Assert.Equal((ExitCode.Failed, ""), (result.ExitCode, result.Out));
            Assert.StartsWith("error: The datapath has no service ", result.Error, StringComparison.Ordinal);
            Assert.Contains("nosuch'", result.Error, StringComparison.Ordinal);
        }
    }

    [PrivilegedFact]
    public void Services_as_JSON_has_every_key_for_scripts()
    {
        var services = JsonNode.Parse(shop.Run("services", "-o", "json").Out)!.AsArray();

        Assert.Equal(4, services.Count);
        var expected = JsonNode.Parse(
            $$"""
            {
              "id": {{services[3]!["id"]}}, "namespace": "shop", "name": "web", "portName": "", "protocol": "TCP", "family": "IPv4",
              "algorithm": "maglev", "maglevTableSize": 251, "affinityTimeoutSeconds": 600,
              "internalTrafficPolicy": "Local", "externalTrafficPolicy": "Cluster", "hasEndpoints": true,
              "frontends": [ { "address": "10.96.0.20", "port": 80, "type": "ClusterIP" } ],
              "clusterBackends": [
                { "id": {{services[3]!["clusterBackends"]![0]!["id"]}}, "address": "10.244.0.3", "port": 8080,
                  "onNode": false, "terminating": false },
                { "id": {{services[3]!["clusterBackends"]![1]!["id"]}}, "address": "10.244.1.3", "port": 8080,
                  "onNode": false, "terminating": true } ],
              "localBackends": []
            }
            """);
        Assert.Equal(expected!.ToJsonString(), services[3]!.ToJsonString());
        Assert.False(services[2]!["hasEndpoints"]!.GetValue<bool>());
        Assert.Equal(53, services[1]!["frontends"]![0]!["port"]!.GetValue<int>());
    }

    [PrivilegedFact]
    public void Frontends_shows_what_clients_dial()
    {
        Assert.Equal(
            """
            FRONTEND          PROTOCOL   TYPE        POLICY             SERVICE
            10.96.0.10:53     UDP        ClusterIP   internal=Cluster   kube-system/dns:dns
            10.96.0.20:80     TCP        ClusterIP   internal=Local     shop/web
            10.96.0.30:443    TCP        ClusterIP   internal=Cluster   shop/empty
            [fd00:96::a]:53   UDP        ClusterIP   internal=Cluster   kube-system/dns:dns

            """.ReplaceLineEndings("\n"),
            shop.Run("frontends").Out);
        Assert.Equal(2, shop.Run("frontends", "-n", "kube-system").Rows.Length);

        var first = JsonNode.Parse(shop.Run("frontends", "-o", "json").Out)!.AsArray()[0]!.AsObject();
        Assert.Equal(
            ["address", "port", "protocol", "type", "serviceId", "service", "scope", "trafficPolicy"], first.Select(member => member.Key));
        Assert.Equal("10.96.0.10", (string?)first["address"]);
        Assert.Equal("kube-system/dns:dns", (string?)first["service"]);
    }

    [PrivilegedFact]
    public void Backends_shows_lists_and_flags()
    {
        var result = shop.Run("backends");

        Assert.Equal(ExitCode.Done, result.ExitCode);
        Assert.Equal("ID ENDPOINT PROTOCOL SERVICE LISTS FLAGS", result.Header);
        Assert.Equal(
            [
                "10.244.0.2:53 UDP kube-system/dns:dns cluster -",
                "10.244.1.2:53 UDP kube-system/dns:dns cluster,local on-node",
                "[fd00:244::2]:53 UDP kube-system/dns:dns cluster -",
                "10.244.0.3:8080 TCP shop/web cluster -",
                "10.244.1.3:8080 TCP shop/web cluster terminating",
            ],
            result.Rows.Select(row => row[(row.IndexOf(' ', StringComparison.Ordinal) + 1)..]));
        Assert.Equal(2, shop.Run("backends", "--service", "shop/web").Rows.Length);
        Assert.Equal(3, shop.Run("backends", "-n", "kube-system").Rows.Length);

        var local = JsonNode.Parse(shop.Run("backends", "-o", "json").Out)!.AsArray()[1]!;
        Assert.Equal("""["cluster","local"]""", local["lists"]!.ToJsonString());
        Assert.True((bool)local["onNode"]!);
        Assert.False((bool)local["terminating"]!);
    }

    [PrivilegedFact]
    public void Nothing_found_is_a_remark_beside_an_empty_output()
    {
        var table = shop.Run("backends", "--service", "shop/empty");
        Assert.Equal((ExitCode.Done, "", "No backends.\n"), (table.ExitCode, table.Out, table.Error));

        var json = shop.Run("backends", "--service", "shop/empty", "-o", "json");
        Assert.Equal((ExitCode.Done, "[]\n", ""), (json.ExitCode, json.Out, json.Error));
        Assert.Equal("[]\n", shop.Run("backends", "--service", "shop/empty", "-o", "yaml").Out);
    }

    [PrivilegedFact]
    public void Maps_tells_sizes_use_and_cost()
    {
        var result = shop.Run("maps");

        Assert.Equal(ExitCode.Done, result.ExitCode);
        Assert.Equal("MAP ID TYPE KEY/VALUE USED MAX FILL MEMORY PIN", result.Header);
        Assert.Equal(
            MapNames.All,
            result.Rows.Select(row => row.Split(' ')[0]));

        var maps = JsonNode.Parse(shop.Run("maps", "-o", "json").Out)!.AsArray().ToDictionary(map => (string)map!["name"]!, map => map!);
        Assert.Equal(4, (int)maps["frontends_v1"]["usedEntries"]!);
        Assert.Equal("hash", (string?)maps["frontends_v1"]["type"]);
        Assert.Equal((20, 8), ((int)maps["frontends_v1"]["keySize"]!, (int)maps["frontends_v1"]["valueSize"]!));
        Assert.Equal(5, (int)maps["backends_v1"]["usedEntries"]!);
        // Two lists of DNS, one of DNS for IPv6, and a Maglev table; an empty list takes no slots.
        Assert.Equal(2 + 1 + 1 + 251, (int)maps["slots_v1"]["usedEntries"]!);
        Assert.Equal("lru_hash", (string?)maps["affinity_v1"]["type"]);
        Assert.Null(maps["sock_peers_v1"]["usedEntries"]);
        Assert.Null(maps["agent_v1"]["fill"]);
        Assert.Equal(("percpu_array", "lpm_trie"), ((string?)maps["reasons_v1"]["type"], (string?)maps["src_ranges_v1"]["type"]));
        Assert.Equal(0, (int)maps["src_ranges_v1"]["usedEntries"]!);
        Assert.Null(maps["reasons_v1"]["usedEntries"]);
        Assert.All(maps.Values, map => Assert.NotEmpty((string)map["meaning"]!));
        Assert.Contains("endpoints that traffic goes to", shop.Run("maps", "-o", "wide").Out, StringComparison.Ordinal);
        Assert.True((long)maps["slots_v1"]["memoryBytes"]! >= (long)maps["slots_v1"]["maxEntries"]! * 8);
        Assert.All(maps.Values, map => Assert.True(File.Exists((string)map["pinPath"]!)));
    }

    [PrivilegedFact]
    public void Every_reader_says_the_same_as_YAML_as_it_says_as_JSON()
    {
        foreach (string command in new[] { "services", "frontends", "backends", "affinity", "conntrack", "counters", "maps" })
        {
            var json = JsonNode.Parse(shop.Run(command, "-o", "json").Out);
            var yaml = YamlReader.Read(shop.Run(command, "-o", "yaml").Out);
            Assert.Equal(json!.ToJsonString(), yaml!.ToJsonString());
        }
    }

    [PrivilegedFact]
    public void Names_are_completed_from_the_maps()
    {
        string line = $"ebpflb services --bpffs {shop.Node.BpfFs} ";
        string[] candidates = Shell.Run($"[suggest:{line.Length}]", line).Lines;
        Assert.Contains("kube-system/dns", candidates);
        Assert.Contains("shop/web", candidates);

        line = $"ebpflb frontends --bpffs {shop.Node.BpfFs} -n sh";
        Assert.Equal(["shop"], Shell.Run($"[suggest:{line.Length}]", line).Lines);

        foreach (string command in new[] { "backends", "conntrack", "counters" })
        {
            line = $"ebpflb {command} --bpffs {shop.Node.BpfFs} --service shop/w";
            Assert.Equal(["shop/web"], Shell.Run($"[suggest:{line.Length}]", line).Lines);
        }
    }

    [PrivilegedFact]
    public void Help_does_not_read_the_maps() =>
        Assert.DoesNotContain("kube-system/dns", shop.Run("services", "--help").Out, StringComparison.Ordinal);

    [PrivilegedFact]
    public void A_row_is_one_line_without_colour_wherever_it_goes()
    {
        var piped = shop.Run("services", "-o", "wide");
        var interactive = new Shell { IsInteractive = true }.Type("services", "-o", "wide", "--bpffs", shop.Node.BpfFs);

        Assert.Equal(5, piped.Lines.Length);
        Assert.DoesNotContain('\x1b', piped.Out);
        Assert.Equal(piped.Out, interactive.Out);
    }
}
