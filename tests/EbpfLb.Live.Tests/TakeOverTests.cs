// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Live.Tests.Support;

namespace EbpfLb.Live.Tests;

/// <summary>An agent that starts on a node where kube-proxy translated until then.</summary>
public sealed class TakeOverTests
{
    [PrivilegedFact]
    public async Task S180_connections_that_kube_proxy_began_go_on_and_new_ones_are_translated_once()
    {
        await using var node = await OuterNode.PrepareAsync();
        var service = node.NewService();
        var target = service.ClusterIP();
        await IptablesAsync(node, "-N KUBE-SERVICES");
        await IptablesAsync(node, "-A PREROUTING -j KUBE-SERVICES");
        await IptablesAsync(node, "-A OUTPUT -j KUBE-SERVICES");
        // The network plugin's. With the last rule that translates, the kernel ends what it translated, whoever removes it.
        await IptablesAsync(node, "-A POSTROUTING -d 198.18.0.0/15 -j MASQUERADE");
        // An endpoint of another node: its answers pass this one, where they are translated back.
        string match = $"-d {target.Address}/32 -p tcp --dport {target.TcpPort}";
        await IptablesAsync(node, $"-A KUBE-SERVICES {match} -j DNAT --to-destination {node.P21.V4}:{service.TargetPort}");
        (await node.P12.TcpAsync(target, count: 3)).AssertAnsweredBy("p21");
        await using var held = await node.P12.HoldAsync(target, count: 5);
        await using var stream = node.P12.Stream("tcp", target, intervalMs: 10);
        await stream.FlowAsync();

        await node.Agent.StartAsync();
        await Eventually.True(
            () => node.Agent.ReadStatus().Problems.Any(problem => problem is { Object: "kube-proxy" }
                && problem.Message.Contains("chain KUBE-SERVICES in table ip nat of nftables", StringComparison.Ordinal)),
            "kube-proxy's rules are reported");
        await service.PublishAsync(node.P11.Ready);
        var report = await node.P12.TcpAsync(target, count: 10);
        report.AssertAnsweredBy("p11");
        Assert.Equal([node.P12.V4], report.Sources.Keys);
        Assert.Empty((await held.CheckAsync()).Failures);

        // What 'kube-proxy --cleanup' does.
        await IptablesAsync(node, "-D PREROUTING -j KUBE-SERVICES");
        await IptablesAsync(node, "-D OUTPUT -j KUBE-SERVICES");
        await IptablesAsync(node, "-F KUBE-SERVICES");
        await IptablesAsync(node, "-X KUBE-SERVICES");
        Assert.Empty((await held.CheckAsync()).Failures);
        await stream.FlowAsync();
        (await stream.StopAsync()).AssertAnsweredBy("p11", "p21");
    }

    private static Task<string> IptablesAsync(OuterNode node, string rule) => Programs.OutputOfAsync(
        "nsenter", [$"--net={node.Host.NetworkNamespace}", "iptables-nft", "-w", "-t", "nat", .. rule.Split(' ')]);
}
