// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Live.Tests.Support;

namespace EbpfLb.Live.Tests;

/// <summary>Traffic of pods and of the host to a ClusterIP, in both families.</summary>
public sealed class ClusterIpTests(LiveNode node) : LiveTest(node)
{
    [PrivilegedFact]
    public async Task S1_every_connection_reaches_a_backend_and_the_client_sees_the_frontend()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready, Node.P21.Ready);

        foreach (var family in LiveNode.Families)
        {
            var report = await Node.P12.TcpAsync(service, family, count: 100);
            report.AssertAnsweredBy("p11", "p21");
            Assert.Equal(100, report.Succeeded);
            Assert.Equal([service.Frontend(family)], report.Peernames.Keys);
            Assert.Equal([Node.P12.Address(family)], report.Sources.Keys);
        }
    }
}
