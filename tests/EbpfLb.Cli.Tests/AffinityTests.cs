// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json.Nodes;
using EbpfLb.Cli.Tests.Support;
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Cli.Tests;

public sealed class AffinityTests
{
    private const ulong Second = 1_000_000_000;

    [PrivilegedFact]
    public void Bound_clients_are_shown_with_their_backend_and_the_rest_only_on_request()
    {
        using var node = new TestNode();
        node.Program(Shop.Services);
        uint web = node.ServiceId("shop/web");
        uint backend = node.BackendId("10.244.0.3");
        Write(node, NetNs(4026, web), backend, secondsAgo: 30);
        Write(node, new AffinityKey { Client = Address.Parse("192.0.2.7"), ServiceId = web, ClientKind = ClientKind.Address }, backend, 60);
        Write(node, NetNs(2, web), backend, secondsAgo: 700);
        Write(node, NetNs(3, web), node.BackendId("fd00:244::2"), secondsAgo: 90);
        Write(node, NetNs(5, 4_000_000_000), backend, secondsAgo: 80);
        string[] command = ["affinity", "--bpffs", node.BpfFs];

        string[] bound = Shell.Run(command).Rows;
        Assert.Equal(2, bound.Length);
        Assert.Matches("^netns:4026 shop/web 10\\.244\\.0\\.3:8080 [0-9ms]+ ago [0-9ms]+$", bound[0]);
        Assert.Matches("^192\\.0\\.2\\.7 shop/web 10\\.244\\.0\\.3:8080 [0-9ms]+ ago [0-9ms]+$", bound[1]);
        Assert.Equal("No affinity entries.\n", Shell.Run([.. command, "-n", "kube-system"]).Error);

        string[] all = Shell.Run([.. command, "--all"]).Rows;
        Assert.Equal(5, all.Length);
        string Row(string client) => all.Single(row => row.StartsWith($"{client} ", StringComparison.Ordinal));
        Assert.Matches("^netns:2 .*:8080 [0-9ms]+ ago - expired$", Row("netns:2"));
        // A backend of another service is no backend of this one.
        Assert.Matches("^netns:3 .* [(]gone[)] [0-9ms]+ ago - stale$", Row("netns:3"));
        Assert.Matches("^netns:5 - .* - stale$", Row("netns:5"));
    }

    [PrivilegedFact]
    public void The_times_of_JSON_are_seconds()
    {
        using var node = new TestNode();
        node.Program(Shop.Services);
        Write(node, NetNs(1, node.ServiceId("shop/web")), node.BackendId("10.244.1.3"), secondsAgo: 100);

        var entry = Assert.Single(JsonNode.Parse(Shell.Run("affinity", "-o", "json", "--bpffs", node.BpfFs).Out)!.AsArray())!.AsObject();

        Assert.Equal(
            ["client", "clientKind", "serviceId", "service", "backendId", "backend", "lastUsedSecondsAgo", "expiresInSeconds", "state"],
            entry.Select(member => member.Key));
        Assert.Equal("netns", (string?)entry["clientKind"]);
        Assert.Equal("""{"address":"10.244.1.3","port":8080}""", entry["backend"]!.ToJsonString());
        double ago = (double)entry["lastUsedSecondsAgo"]!;
        Assert.InRange(ago, 100, 400);
        Assert.Equal(600, ago + (double)entry["expiresInSeconds"]!, precision: 2);
    }

    private static void Write(TestNode node, AffinityKey key, uint backendId, ulong secondsAgo) =>
        node.WriteAffinity(key, new AffinityValue { BackendId = backendId, LastUsedNs = TestNode.NowNs - (secondsAgo * Second) });

    private static AffinityKey NetNs(ulong cookie, uint serviceId)
    {
        Span<byte> client = stackalloc byte[16];
        client.Clear();
        BitConverter.TryWriteBytes(client, cookie);
        return new AffinityKey { Client = Address.FromNetworkOrder(client), ServiceId = serviceId, ClientKind = ClientKind.NetNs };
    }
}
