// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json.Nodes;
using EbpfLb.Cli.Tests.Support;
using EbpfLb.Datapath.Contract;

namespace EbpfLb.Cli.Tests;

public sealed class FrontendTypeTests
{
    [PrivilegedFact]
    public void Each_type_has_its_name_and_the_policy_that_decides_for_it()
    {
        using var node = Node();

        Assert.Equal(
            """
            FRONTEND          PROTOCOL   TYPE                      POLICY             SERVICE
            [::]:30080        TCP        NodePort                  external=Local     shop/empty
            0.0.0.0:30080     TCP        NodePort                  external=Cluster   shop/web
            10.96.0.20:80     TCP        ClusterIP                 internal=Local     shop/web
            198.51.100.1:80   TCP        LoadBalancer              -                  -
            203.0.113.9:80    TCP        LoadBalancer,ExternalIP   external=Cluster   shop/web

            """.ReplaceLineEndings("\n"),
            string.Join('\n', Shell.Run("frontends", "--bpffs", node.BpfFs).Lines.Where(IsOfInterest)) + "\n");
    }

    [PrivilegedFact]
    public void Scripts_get_type_scope_and_policy()
    {
        using var node = Node();

        var frontends = JsonNode.Parse(Shell.Run("frontends", "--bpffs", node.BpfFs, "-o", "json").Out)!.AsArray()
            .ToDictionary(frontend => $"{frontend!["address"]}:{frontend["port"]}", frontend => frontend!);

        static (string?, string?, string?) Of(JsonNode frontend) =>
            ((string?)frontend["type"], (string?)frontend["scope"], (string?)frontend["trafficPolicy"]);
        Assert.Equal(("NodePort", "external", "Cluster"), Of(frontends["0.0.0.0:30080"]));
        Assert.Equal(("NodePort", "external", "Local"), Of(frontends[":::30080"]));
        Assert.Equal(("LoadBalancer,ExternalIP", "external", "Cluster"), Of(frontends["203.0.113.9:80"]));
        Assert.Equal(("LoadBalancer", "external", null), Of(frontends["198.51.100.1:80"]));
        Assert.Equal(("ClusterIP", "internal", "Local"), Of(frontends["10.96.0.20:80"]));
    }

    [PrivilegedFact]
    public void A_service_lists_all_its_frontends_and_their_types()
    {
        using var node = Node();

        var result = Shell.Run("services", "shop/web", "-o", "wide", "--bpffs", node.BpfFs);

        Assert.Contains(" LOCAL TYPE ID ", result.Header, StringComparison.Ordinal);
        Assert.Contains(" 0.0.0.0:30080,10.96.0.20:80,203.0.113.9:80 ", result.Rows[0], StringComparison.Ordinal);
        Assert.Contains(" 2 0 ClusterIP,NodePort,LoadBalancer,ExternalIP ", result.Rows[0], StringComparison.Ordinal);
        var types = JsonNode.Parse(Shell.Run("services", "shop/web", "-o", "json", "--bpffs", node.BpfFs).Out)![0]!["frontends"]!.AsArray();
        Assert.Equal(["NodePort", "ClusterIP", "LoadBalancer,ExternalIP"], types.Select(frontend => (string?)frontend!["type"]));
    }

    private static bool IsOfInterest(string line) =>
        !line.Contains(":53 ", StringComparison.Ordinal) && !line.Contains(":443 ", StringComparison.Ordinal);

    private static TestNode Node()
    {
        var node = new TestNode();
        node.Program(Shop.Services);
        node.WriteFrontend(node.ServiceId("shop/web"), "0.0.0.0", 30080, FrontendFlags.NodePort);
        node.WriteFrontend(node.ServiceId("shop/empty"), "::", 30080, FrontendFlags.NodePort);
        node.WriteFrontend(node.ServiceId("shop/web"), "203.0.113.9", 80, FrontendFlags.LoadBalancer | FrontendFlags.ExternalIP);
        node.WriteFrontend(9_999_999, "198.51.100.1", 80, FrontendFlags.LoadBalancer);
        uint empty = node.ServiceId("shop/empty");
        Assert.True(node.Datapath!.Maps.Services.TryGet(empty, out var service));
        service.Flags |= ServiceFlags.ExternalLocal;
        Assert.True(node.Datapath.Maps.Services.Put(empty, service).Succeeded);
        return node;
    }
}
