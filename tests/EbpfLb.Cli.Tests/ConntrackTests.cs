// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json.Nodes;
using EbpfLb.Cli.Tests.Support;
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Cli.Tests;

public sealed class ConntrackTests(ShopNode shop) : IClassFixture<ShopNode>
{
    private const ConntrackFlags Open = ConntrackFlags.Syn | ConntrackFlags.Data;

    private static readonly SettingsValue Timeouts = new()
    {
        TcpSynSeconds = 30,
        TcpEstablishedSeconds = 8000,
        TcpFinSeconds = 3600,
        TcpClosedSeconds = 600,
        UdpSeconds = 1200,
        SctpSeconds = 2400,
    };

    [PrivilegedFact]
    public void The_halves_of_a_flow_are_one_line()
    {
        var node = Node();
        Remote(node).WriteTo(node);
        Local(node).WriteTo(node);

        var result = Run(node);

        Assert.Equal((ExitCode.Done, ""), (result.ExitCode, result.Error));
        Assert.Equal("PROTOCOL CLIENT FRONTEND BACKEND SNAT STATE AGE EXPIRES-IN SERVICE", result.Header);
        Assert.Equal(2, result.Rows.Length);
        Assert.Matches(
            "^TCP 192\\.0\\.2\\.7:40000 203\\.0\\.113\\.9:80 10\\.244\\.0\\.3:8080 192\\.0\\.2\\.100:50001 ESTABLISHED "
            + "[0-9]+m[0-9s]* 2h[0-9]+m shop/web$",
            result.Rows[0]);
        Assert.Matches(
            "^UDP \\[2001:db8::7\\]:40001 \\[fd00:96::a\\]:53 \\[fd00:244::2\\]:53 - UDP [0-9ms]+ [0-9ms]+ "
            + "kube-system/dns:dns$",
            result.Rows[1]);
    }

    [PrivilegedFact]
    public void Wide_adds_both_directions_and_what_the_flow_is()
    {
        var node = Node();
        (Remote(node) with { Traits = ConntrackFlags.PickedUp | ConntrackFlags.Internal, PacketsIn = 12, PacketsOut = 34 }).WriteTo(node);
        Local(node).WriteTo(node);

        var result = Run(node, "-o", "wide");

        Assert.EndsWith(" SERVICE PACKETS-IN BYTES-IN PACKETS-OUT BYTES-OUT FLAGS", result.Header, StringComparison.Ordinal);
        Assert.EndsWith(" shop/web 12 1200 34 34000 picked-up,internal", result.Rows[0], StringComparison.Ordinal);
        Assert.EndsWith(" kube-system/dns:dns 1 100 2 2000 local", result.Rows[1], StringComparison.Ordinal);
    }

    [PrivilegedTheory]
    [InlineData(ConntrackFlags.Syn, ConntrackFlags.None, "SYN-SENT", 30)]
    [InlineData(ConntrackFlags.Syn, ConntrackFlags.Syn, "SYN-RECEIVED", 30)]
    [InlineData(ConntrackFlags.Syn, Open, "SYN-RECEIVED", 30)]
    [InlineData(ConntrackFlags.Syn | ConntrackFlags.Fin, ConntrackFlags.Syn, "SYN-RECEIVED", 30)]
    [InlineData(Open, ConntrackFlags.Syn, "ESTABLISHED", 8000)]
    [InlineData(Open, Open, "ESTABLISHED", 8000)]
    [InlineData(Open | ConntrackFlags.Fin, Open, "FIN-WAIT", 3600)]
    [InlineData(Open, Open | ConntrackFlags.Fin, "FIN-WAIT", 3600)]
    [InlineData(Open | ConntrackFlags.Fin, Open | ConntrackFlags.Fin, "CLOSING", 600)]
    [InlineData(ConntrackFlags.Syn, ConntrackFlags.Rst, "RESET", 600)]
    [InlineData(Open | ConntrackFlags.Rst, Open | ConntrackFlags.Fin, "RESET", 600)]
    [InlineData(ConntrackFlags.Data | ConntrackFlags.PickedUp, ConntrackFlags.None, "UNREPLIED", 30)]
    [InlineData(ConntrackFlags.Data | ConntrackFlags.PickedUp, ConntrackFlags.Data, "ESTABLISHED", 8000)]
    public void The_state_of_a_connection_is_what_both_directions_have_shown(
        ConntrackFlags seenIn, ConntrackFlags seenOut, string state, int timeout)
    {
        var node = Node();
        (Remote(node) with { SeenIn = seenIn, SeenOut = seenOut, AgeIn = 5000, AgeOut = -60_000 }).WriteTo(node);

        var flow = Assert.Single(Json(node))!;

        Assert.Equal((state, "both"), ((string?)flow["state"], (string?)flow["halves"]));
        // The last packet counts, whichever way it went, and one that came after the clock was read is of now.
        Assert.Equal((0, timeout), ((double)flow["seenSecondsAgo"]!, (double)flow["expiresInSeconds"]!));
    }

    [PrivilegedTheory]
    [InlineData(Protocol.Udp, ConntrackFlags.None, ConntrackFlags.None, "UDP-UNREPLIED", 1200)]
    [InlineData(Protocol.Udp, ConntrackFlags.Data, ConntrackFlags.Data, "UDP", 1200)]
    [InlineData(Protocol.Sctp, ConntrackFlags.Syn, ConntrackFlags.None, "SCTP-UNREPLIED", 2400)]
    [InlineData(Protocol.Sctp, Open, ConntrackFlags.Syn, "SCTP", 2400)]
    [InlineData(Protocol.Sctp, Open | ConntrackFlags.Fin, Open | ConntrackFlags.Fin, "CLOSING", 600)]
    [InlineData(Protocol.Sctp, Open, Open | ConntrackFlags.Rst, "RESET", 600)]
    public void Other_protocols_are_replied_to_or_not(
        Protocol protocol, ConntrackFlags seenIn, ConntrackFlags seenOut, string state, int timeout)
    {
        var node = Node();
        (Remote(node) with { Protocol = protocol, SeenIn = seenIn, SeenOut = seenOut, AgeIn = 60_000, AgeOut = 100_000 }).WriteTo(node);

        var flow = Assert.Single(Json(node))!;

        Assert.Equal(state, (string?)flow["state"]);
        double ago = (double)flow["seenSecondsAgo"]!;
        Assert.InRange(ago, 62.9, 104);
        Assert.Equal(timeout, ago + (double)flow["expiresInSeconds"]!, precision: 2);
    }

    [PrivilegedFact]
    public void A_half_without_the_other_is_shown_as_the_flow_it_was_and_marked()
    {
        var node = Node();
        var remote = Remote(node);
        Flow.Write(node, remote.Forward);
        Flow.Write(node, (remote with { ClientPort = 40002, Snat = ("192.0.2.100", 50002) }).Reply);
        // Its counterpart by key is another client's: no pair.
        Flow.Write(node, (remote with { ClientPort = 40003, Snat = ("192.0.2.100", 50002) }).Forward);

        // A missing half says nothing against an end.
        Flow.Write(node, (remote with { ClientPort = 40004, SeenIn = Open | ConntrackFlags.Fin, AgeIn = -60_000 }).Forward);
        // A backend sends data after the handshake only.
        Flow.Write(node, (remote with { ClientPort = 40005, Snat = ("192.0.2.100", 50005), AgeOut = -60_000 }).Reply);

        string[] rows = Run(node).Rows;

        Assert.Equal(5, rows.Length);
        Assert.StartsWith(
            "TCP 192.0.2.7:40000 203.0.113.9:80 10.244.0.3:8080 192.0.2.100:50001 ESTABLISHED,forward-only ", rows[0],
            StringComparison.Ordinal);
        Assert.StartsWith(
            "TCP 192.0.2.7:40002 203.0.113.9:80 10.244.0.3:8080 192.0.2.100:50002 ESTABLISHED,reply-only ", rows[1],
            StringComparison.Ordinal);
        Assert.StartsWith("TCP 192.0.2.7:40003 ", rows[2], StringComparison.Ordinal);
        Assert.Contains(",forward-only ", rows[2], StringComparison.Ordinal);

        Assert.EndsWith(" CLOSING,forward-only 0s 10m shop/web", rows[3], StringComparison.Ordinal);
        Assert.EndsWith(" ESTABLISHED,reply-only 0s 2h13m shop/web", rows[4], StringComparison.Ordinal);

        var json = Json(node);
        Assert.Equal(["forward", "reply", "forward", "forward", "reply"], json.Select(flow => (string?)flow!["halves"]));
        Assert.Equal([true, false, true, true, false], json.Select(flow => flow!["in"] is not null));
        Assert.Equal([false, true, false, false, true], json.Select(flow => flow!["out"] is not null));
    }

    [PrivilegedFact]
    public void Flows_are_found_by_service_and_client_and_limited_in_a_fixed_order()
    {
        var node = Node();
        var remote = Remote(node);
        for (ushort i = 0; i < 20; i++)
        {
            var flow = remote with { ClientPort = (ushort)(41000 - i), Snat = ("192.0.2.100", (ushort)(51000 + i)) };
            (i % 2 == 0 ? flow : flow with { Client = "192.0.2.8" }).WriteTo(node);
        }

        Local(node).WriteTo(node);

        Assert.Equal(20, Run(node, "--service", "shop/web").Rows.Length);
        Assert.Single(Run(node, "--service", "dns:dns").Rows);
        Assert.Single(Run(node, "-n", "kube-system").Rows);
        Assert.Equal(10, Run(node, "--client", "192.0.2.8").Rows.Length);
        Assert.Single(Run(node, "--client", "2001:db8:0::7").Rows);
        var none = Run(node, "--client", "192.0.2.9");
        Assert.Equal((ExitCode.Done, "", "No flows.\n"), (none.ExitCode, none.Out, none.Error));

        var limited = Run(node, "--client", "192.0.2.8", "--limit", "2");
        Assert.Equal(["192.0.2.8:40981", "192.0.2.8:40983"], limited.Rows.Select(row => row.Split(' ')[1]));
        Assert.Equal("2 of 10 flows.\n", limited.Error);
        Assert.Equal("", Run(node, "--client", "192.0.2.8", "--limit", "10").Error);
    }

    [PrivilegedFact]
    public void A_flow_outlives_its_backend_in_the_maps_without_a_name()
    {
        var node = Node();
        (Remote(node) with { BackendId = 4_000_000 }).WriteTo(node);
        node.WriteSettings(default);

        Assert.EndsWith(" - -", Run(node).Rows[0], StringComparison.Ordinal);
        Assert.Single(Json(node));
        Assert.Equal(("", null), ((string?)Json(node)[0]!["service"], Json(node)[0]!["expiresInSeconds"]));
        Assert.Equal("No flows.\n", Run(node, "--service", "web").Error);
    }

    [PrivilegedFact]
    public void JSON_has_every_key_and_YAML_says_the_same()
    {
        var node = Node();
        (Remote(node) with { AgeIn = -60_000 }).WriteTo(node);

        var flow = Assert.Single(Json(node))!;

        var expected = JsonNode.Parse(
            $$"""
            {
              "protocol": "TCP", "client": { "address": "192.0.2.7", "port": 40000 }, "frontend": { "address": "203.0.113.9", "port": 80 },
              "backend": { "address": "10.244.0.3", "port": 8080 }, "snat": { "address": "192.0.2.100", "port": 50001 },
              "state": "ESTABLISHED", "halves": "both", "backendId": {{node.BackendId("10.244.0.3")}}, "service": "shop/web",
              "local": false, "pickedUp": false, "internal": false, "seenSecondsAgo": 0, "expiresInSeconds": 8000,
              "in": { "packets": 1, "bytes": 100 }, "out": { "packets": 0, "bytes": 0 }
            }
            """);
        Assert.Equal(expected!.ToJsonString(), flow.ToJsonString());
        Assert.Equal(new JsonArray(flow.DeepClone()).ToJsonString(), YamlReader.Read(Run(node, "-o", "yaml").Out)!.ToJsonString());
    }

    [PrivilegedFact]
    public void Many_flows_are_each_there_once_in_every_format()
    {
        const int count = 12_000;
        var node = Node();
        var remote = Remote(node) with { AgeIn = -600_000 };
        for (int i = 0; i < count; i++)
            (remote with { Client = $"198.18.{i / 250}.{i % 250}", Snat = ("192.0.2.100", (ushort)(50000 + i)) }).WriteTo(node);

        string[] rows = Run(node).Rows;
        Assert.Equal(count, rows.Distinct().Count());
        Assert.Equal(count, rows.Length);

        // More than the writers hold at once.
        var json = JsonNode.Parse(Run(node, "-o", "json").Out)!.AsArray();
        Assert.Equal(count, json.Select(flow => (string?)flow!["client"]!["address"]).Distinct().Count());
        Assert.All(json, flow => Assert.Equal("both", (string?)flow!["halves"]));
        Assert.Equal(json.ToJsonString(), YamlReader.Read(Run(node, "-o", "yaml").Out)!.ToJsonString());
    }

    // One for all tests, without a flow.
    private TestNode Node()
    {
        var node = shop.Node;
        if (node.Datapath is null)
            node.Start();
        node.WriteSettings(Timeouts);
        foreach (var (key, _) in node.Datapath!.Maps.Conntrack.ReadAll())
            Assert.True(node.Datapath.Maps.Conntrack.Delete(key).Succeeded);
        return node;
    }

    private static Flow Remote(TestNode node) => new("192.0.2.7", 40000, "203.0.113.9", 80, "10.244.0.3", 8080)
    {
        BackendId = node.BackendId("10.244.0.3"),
        Snat = ("192.0.2.100", 50001),
        SeenIn = Open,
        SeenOut = Open,
        AgeIn = 100_000,
        AgeOut = 120_000,
    };

    private static Flow Local(TestNode node) => new("2001:db8::7", 40001, "fd00:96::a", 53, "fd00:244::2", 53)
    {
        Protocol = Protocol.Udp,
        BackendId = node.BackendId("fd00:244::2"),
        Traits = ConntrackFlags.Local,
        SeenOut = ConntrackFlags.Data,
        PacketsOut = 2,
    };

    private static JsonArray Json(TestNode node) => JsonNode.Parse(Run(node, "-o", "json").Out)!.AsArray();

    private static Shell.Result Run(TestNode node, params string[] args) => Shell.Run(["conntrack", "--bpffs", node.BpfFs, .. args]);
}
