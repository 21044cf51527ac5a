// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Cli.Tests.Support;

/// <summary>A few services that between them have everything a column can show.</summary>
internal static class Shop
{
    public const BackendFlags Both = BackendFlags.InCluster | BackendFlags.InLocal;

    public static DesiredService[] Services { get; } =
    [
        TestNode.Service("kube-system", "dns",
            TestNode.Port("dns", Protocol.Udp, "10.96.0.10", 53,
                TestNode.Backend("10.244.0.2", 53), TestNode.Backend("10.244.1.2", 53, Both | BackendFlags.OnNode)),
            TestNode.Port("dns", Protocol.Udp, "fd00:96::a", 53, TestNode.Backend("fd00:244::2", 53))),
        TestNode.Service("shop", "web",
            TestNode.Port("", Protocol.Tcp, "10.96.0.20", 80,
                TestNode.Backend("10.244.0.3", 8080),
                TestNode.Backend("10.244.1.3", 8080, BackendFlags.InCluster | BackendFlags.Terminating)) with
            {
                AffinityTimeoutSeconds = 600,
                Algorithm = Algorithm.Maglev,
                MaglevTableSize = 251,
                InternalTrafficPolicy = TrafficPolicy.Local,
            }),
        TestNode.Service("shop", "empty", TestNode.Port("", Protocol.Tcp, "10.96.0.30", 443)),
    ];
}
