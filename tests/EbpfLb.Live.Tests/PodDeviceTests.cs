// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Contract;
using EbpfLb.Live.Tests.Support;

namespace EbpfLb.Live.Tests;

public sealed class PodDeviceNode() : OuterNode("--pod-devices", "p1*");

/// <summary>Pods whose sockets the socket hooks do not see: their packets are translated where they enter the node.</summary>
public sealed class PodDeviceTests(PodDeviceNode node) : OuterTest(node), IClassFixture<PodDeviceNode>
{
    // In a cgroup that is not the agent's, as behind the kernel of a virtual machine.
    private Client Unseen => Node.P12 with { Cgroup = Node.Outside.Cgroup };

    [PrivilegedFact]
    public async Task A_pod_out_of_reach_of_the_socket_hooks_reaches_every_address_of_a_service()
    {
        var service = Node.NewService() with { HasExternalIPs = true };
        await service.PublishAsync(Node.P11.Ready, Node.P13.Ready, Node.P21.Ready);
        ulong before = Node.Agent.Count(Hook.TcPod, Reason.NewFlow);
        foreach (var target in service.Targets())
        {
            var tcp = await Unseen.TcpAsync(target, count: 30);
            tcp.AssertAnsweredBy("p11", "p13", "p21");
            Assert.Equal([target.Tcp], tcp.Peernames.Keys);
            Assert.Equal([Unseen.Source(target.IsV6 ? DialFamily.V6 : DialFamily.V4)], tcp.Sources.Keys);
            var udp = await Unseen.UdpAsync(target, count: 30);
            udp.AssertAnsweredBy("p11", "p13", "p21");
            Assert.Equal([target.Udp], udp.From.Keys);
        }

        // 480 conversations; a client port that comes again within the time of a UDP flow begins no other.
        Assert.True(Node.Agent.Count(Hook.TcPod, Reason.NewFlow) >= before + 400, "flows did not begin at the pod's device");
    }

    [PrivilegedFact]
    public async Task S7_such_a_pod_may_be_its_own_backend()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P12.Ready);
        foreach (bool v6 in OuterNode.Families)
        {
            var report = await Unseen.TcpAsync(service.ClusterIP(v6), count: 5);
            report.AssertAnsweredBy("p12");
            Assert.Equal([service.ClusterIP(v6).Tcp], report.Peernames.Keys);
            (await Unseen.UdpAsync(service.ClusterIP(v6), count: 5)).AssertAnsweredBy("p12");
        }
    }

    [PrivilegedFact]
    public async Task S51_ten_megabytes_arrive_as_they_were_sent()
    {
        var service = Node.NewService();
        foreach (var pod in new[] { Node.P11, Node.P21 })
        {
            await service.PublishAsync(pod.Ready);
            foreach (bool v6 in OuterNode.Families)
            {
                var report = await Unseen.TransferAsync(service.ClusterIP(v6), 10 << 20);
                report.AssertAnsweredBy(pod.Name);
                Assert.Equal(10 << 20, report.Bytes);
            }
        }
    }

    [PrivilegedFact]
    public async Task S15_such_a_pod_reaches_all_endpoints_of_a_Local_service()
    {
        var service = Node.NewService("externalTrafficPolicy: Local");
        await service.PublishAsync(Node.P21.Ready, Node.P22.Ready);
        foreach (var target in service.OuterTargets())
            (await Unseen.TcpAsync(target, count: 20)).AssertAnsweredBy("p21", "p22");
    }

    [PrivilegedFact]
    public async Task S17_such_a_pod_is_refused_where_there_is_no_endpoint_or_no_port()
    {
        var service = Node.NewService() with { HasExternalIPs = true };
        await service.PublishAsync();
        foreach (var target in service.Targets())
        {
            (await Unseen.TcpAsync(target)).AssertAllFailedWith("ECONNREFUSED");
            (await Unseen.UdpConnectedAsync(target)).AssertAllFailedWith("ECONNREFUSED");
        }

        await service.PublishAsync(Node.P11.Ready);
        foreach (bool v6 in OuterNode.Families)
            (await Unseen.TcpAsync(service.ClusterIP(v6) with { TcpPort = 81 })).AssertAllFailedWith("ECONNREFUSED");
    }

    [PrivilegedFact]
    public async Task Clients_outside_and_pods_that_are_seen_are_served_as_ever()
    {
        var service = Node.NewService();
        await service.PublishAsync(Node.P11.Ready, Node.P21.Ready);
        foreach (var target in service.OuterTargets())
        {
            (await Node.Distant.TcpAsync(target, count: 20)).AssertAnsweredBy("p11", "p21");
            (await Node.Distant.UdpAsync(target, count: 20)).AssertAnsweredBy("p11", "p21");
        }

        foreach (bool v6 in OuterNode.Families)
            (await Node.P13.TcpAsync(service.ClusterIP(v6), count: 20)).AssertAnsweredBy("p11", "p21");
    }
}
