// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Live.Tests.Support;

namespace EbpfLb.Live.Tests;

/// <summary>
/// Where a way is narrower than both ends know, whoever sends too much is told so, through the translation. A locked MTU of a route is what
/// a router has for the link behind it.
/// </summary>
public abstract class PathMtuTests(OuterNode node) : OuterTest(node)
{
    private const int Narrow = 1300;
    private const int Size = 1 << 20;

    [PrivilegedFact]
    public async Task S72_a_client_learns_of_a_narrow_link_behind_the_node()
    {
        var service = Node.NewService();
        foreach (var (pod, router) in new[] { (Node.P11, Node.Host), (Node.P21, Node.SecondHost) })
        {
            await service.PublishAsync(pod.Ready);
            foreach (bool v6 in OuterNode.Families)
            {
                await using var narrow = await NarrowAsync(router, v6 ? $"{pod.V6}/128" : $"{pod.V4}/32", "dev br0");
                await AssertClientLearnsAsync(service, v6, pod);
            }
        }
    }

    [PrivilegedFact]
    public async Task S77_a_client_learns_from_the_node_itself_that_its_way_to_the_backend_is_narrow()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P21.Ready);
        foreach (bool v6 in OuterNode.Families)
        {
            string way = v6 ? $"via {OuterNode.SecondV6}" : $"via {OuterNode.SecondV4}";
            await using var narrow = await NarrowAsync(Node.Host, v6 ? $"{Node.P21.V6}/128" : $"{Node.P21.V4}/32", way);
            await AssertClientLearnsAsync(service, v6, Node.P21);
        }
    }

    [PrivilegedFact]
    public async Task S73_a_backend_learns_of_a_narrow_link_on_the_clients_side()
    {
        var service = Node.NewService();
        foreach (var pod in new[] { Node.P11, Node.P21 })
        {
            await service.PublishAsync(pod.Ready);
            foreach (bool v6 in OuterNode.Families)
            {
                string client = v6 ? Node.Distant.V6 : Node.Distant.V4;
                // Another node's backend knows this node as the client.
                string seen = pod.Node == "n1" ? client : v6 ? OuterNode.FirstV6 : OuterNode.FirstV4;
                await using var narrow = await NarrowAsync(Node.Outside, v6 ? $"{client}/128" : $"{client}/32", "dev behind");
                var report = await Node.Distant.TransferAsync(service.LoadBalancer(v6), Size);
                report.AssertAnsweredBy(pod.Name);
                Assert.Contains($"mtu {Narrow}", await pod.IpAsync($"route get {seen}"), StringComparison.Ordinal);
                await pod.IpAsync($"{(v6 ? "-6 " : "")}route flush cache");
            }
        }
    }

    private async Task AssertClientLearnsAsync(OuterService service, bool v6, Client pod)
    {
        var target = service.LoadBalancer(v6);
        foreach (var client in new[] { Node.Distant, Node.Outside })
        {
            var report = await client.TransferAsync(target, Size);
            report.AssertAnsweredBy(pod.Name);
            Assert.Equal(Narrow, report.Mtu);
            Assert.Contains($"mtu {Narrow}", await client.IpAsync($"route get {target.Address}"), StringComparison.Ordinal);
            await client.IpAsync($"{(v6 ? "-6 " : "")}route flush cache");
        }
    }

    private static async Task<Undo> NarrowAsync(Client router, string destination, string way)
    {
        await router.IpAsync($"route add {destination} {way} mtu lock {Narrow}");
        return new Undo(() => router.IpAsync($"route del {destination}"));
    }
}

/// <summary>XDP is in place, and has to hand down what it cannot send.</summary>
public sealed class PlainPathMtuTests(OuterNode node) : PathMtuTests(node), IClassFixture<OuterNode>;

public sealed class XdpPathMtuTests(XdpNode node) : PathMtuTests(node), IClassFixture<XdpNode>;

public sealed class TcPathMtuTests(TcNode node) : PathMtuTests(node), IClassFixture<TcNode>;
