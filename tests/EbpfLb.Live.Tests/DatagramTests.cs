// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Live.Tests.Support;

namespace EbpfLb.Live.Tests;

/// <summary>UDP sockets that live longer than one exchange.</summary>
public sealed class DatagramTests(LiveNode node) : LiveTest(node)
{
    [PrivilegedFact]
    public async Task An_unconnected_socket_stays_with_its_backend()
    {
        var service = Node.NewService();
        await service.PublishAsync([.. Node.Playground.AllPods.Select(pod => pod.Ready)]);
        await Node.FromEverywhereAsync(async (client, family) =>
        {
            var report = await client.UdpSameSocketAsync(service, family, count: 100);
            report.AssertNoneFailed();
            Assert.Single(report.Backends);
            Assert.Equal([service.Frontend(family)], report.From.Keys);
        });
    }

    [PrivilegedFact]
    public async Task An_unconnected_socket_moves_on_with_the_next_datagram_when_its_backend_is_removed()
    {
        foreach (var family in LiveNode.Families)
        {
            var service = Node.NewService();
            await service.PublishAsync(Node.P11.Ready);
            await using var stream = Node.P12.Stream("udp", service, family, intervalMs: 2, "--same-socket");
            await stream.FlowAsync();
            await service.PublishAsync(Node.P11.Ready, Node.P13.Ready, Node.P21.Ready, Node.P22.Ready);
            await stream.FlowAsync();
            await service.PublishAsync(Node.P21.Ready);
            await stream.FlowAsync();
            await service.PublishAsync(Node.P11.Ready, Node.P13.Ready, Node.P21.Ready, Node.P22.Ready);
            await stream.FlowAsync();

            // One after the other, and never back: it changed only when it had to.
            var report = await stream.StopAsync();
            report.AssertAnsweredBy("p11", "p21");
            string[] order = [.. report.Buckets.SelectMany(bucket => bucket.Backends.Keys.Order(StringComparer.Ordinal))];
            Assert.Equal(order.Order(StringComparer.Ordinal), order);
        }
    }

    [PrivilegedFact]
    public async Task A_socket_that_asks_many_frontends_hears_each_of_them_by_its_own_address()
    {
        var pods = Node.Playground.AllPods;
        var services = pods.Select(_ => Node.NewService()).ToArray();
        for (int i = 0; i < pods.Count; i++)
            await services[i].PublishAsync(pods[i].Ready);

        await Node.FromEverywhereAsync(async (client, family) =>
        {
            var reports = await client.UdpManyAsync(services, family, count: 30);
            Assert.Equal(services.Length, reports.Count);
            for (int i = 0; i < pods.Count; i++)
            {
                string frontend = services[i].Frontend(family);
                reports[frontend].AssertAnsweredBy(pods[i].Name);
                Assert.Equal(30, reports[frontend].Succeeded);
                Assert.Equal([frontend], reports[frontend].From.Keys);
            }
        });
    }

    [PrivilegedFact]
    public async Task Each_frontend_of_a_socket_keeps_a_backend_of_its_own()
    {
        LiveService first = Node.NewService(), second = Node.NewService(), third = Node.NewService();
        await first.PublishAsync(Node.P11.Ready, Node.P13.Ready);
        await second.PublishAsync(Node.P21.Ready, Node.P22.Ready);
        await third.PublishAsync(Node.P12.Ready);
        foreach (var family in LiveNode.Families)
        {
            var reports = await Node.Host.UdpManyAsync([first, second, third], family, count: 30);
            Assert.All(reports.Values, report => Assert.Single(report.Backends));
            Assert.All(reports, report => Assert.Equal([report.Key], report.Value.From.Keys));
        }
    }
}
