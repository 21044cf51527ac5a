// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Bench.Measuring;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Bench.Packets;

/// <summary>Small UDP datagrams through the packet path, the simplest XDP program and the kernel, in turn.</summary>
internal sealed class PacketCost(BenchOptions options, Report report) : IDisposable
{
    private const string Part = "packets, 64-byte UDP, one core for sender, node and receiver";

    private const int Flows1K = 1024;
    private const int Flows16K = 16384;
    private const string AnyService = "100.64.0.0/16";
    private const string AnyServiceV6 = "2001:db8:1::/64";

    private const double LeastEstablished = 0.65;
    private const double LeastManyFlows = 0.45;
    private const double LeastNewFlows = 0.15;
    private const double LeastOverIptables = 3;
    private const double LeastFlat = 0.9;

    private readonly string _iptables = Command.Run("iptables", ["--version"], CancellationToken.None).Trim();
    private readonly List<IDisposable> _nodes = [];
    private readonly List<Contestant> _contestants = [];

    private static Flows Established(int count, int services = 1) => new(PacketNode.FirstService, count) { Destinations = services };

    private static Flows EstablishedV6(int count) => new(PacketNode.FirstServiceV6, count);

    public void Run(CancellationToken stopping)
    {
        Reflect(stopping);
        var ours = Ours(stopping);
        Kernel(stopping);

        foreach (var contestant in _contestants)
            contestant.Verify(stopping);
        for (int round = 0; round < options.PacketRounds; round++)
        {
            foreach (var contestant in _contestants)
                contestant.Run(options.Seconds, stopping);
        }

        Tell();
        foreach (var node in ours)
            Console.Error.WriteLine($"  reasons, {node}: {node.Datapath.DescribeReasons()}");
    }

    public void Dispose()
    {
        foreach (var node in _nodes)
            node.Dispose();
    }

    private Contestant Add(string name, Pair pair, Flows flows, string expected, bool mayLose = false)
    {
        var contestant = new Contestant(name, pair, flows, expected) { MayLose = mayLose };
        _contestants.Add(contestant);
        return contestant;
    }

    private Pair NewPair(CancellationToken stopping)
    {
        var pair = Pair.Create(stopping);
        _nodes.Add(pair);
        return pair;
    }

    private PacketNode NewNode(PacketNodeShape shape, CancellationToken stopping)
    {
        var node = PacketNode.Create(shape, stopping);
        _nodes.Add(node);
        return node;
    }

    private void Reflect(CancellationToken stopping)
    {
        var pair = NewPair(stopping);
        pair.Attach(Pair.Uplink, pair.ToolProgram("bare_reflect"), "xdp");
        Add("reflect", pair, Established(Flows1K), AnyService);
        Add("reflect, IPv6", pair, EstablishedV6(Flows1K), AnyServiceV6);

        var redirect = NewPair(stopping);
        redirect.Attach(Pair.Uplink, redirect.ToolProgram("bare_redirect"), "xdp");
        Add("redirect", redirect, Established(Flows1K), AnyService);
        Add("redirect, IPv6", redirect, EstablishedV6(Flows1K), AnyServiceV6);
    }

    private List<PacketNode> Ours(CancellationToken stopping)
    {
        var one = NewNode(new PacketNodeShape(1, 3, Algorithm.Maglev, SecondDevice: false), stopping);
        Add("established", one.Pair, Established(Flows1K), one.Expected);
        Add("established, 16,384 flows", one.Pair, Established(Flows16K), one.Expected);
        Add("established, IPv6", one.Pair, EstablishedV6(Flows1K), one.ExpectedV6);

        var second = NewNode(new PacketNodeShape(1, 3, Algorithm.Maglev, SecondDevice: true), stopping);
        Add("established, other device", second.Pair, Established(Flows1K), second.Expected);
        Add("established, other device, IPv6", second.Pair, EstablishedV6(Flows1K), second.ExpectedV6);

        var hundred = NewNode(new PacketNodeShape(1, 100, Algorithm.Maglev, SecondDevice: false), stopping);
        Add("established, 100 backends", hundred.Pair, Established(Flows1K), hundred.Expected);

        // Flows that go on for ever would fill the tables of the others.
        var flood = NewNode(new PacketNodeShape(1, 100, Algorithm.Maglev, SecondDevice: false), stopping);
        Add("new flows", flood.Pair, Established(0), flood.Expected, mayLose: true);
        Add("new flows, TCP SYN", flood.Pair, Established(0) with { Protocol = "tcp" }, flood.Expected, mayLose: true);
        List<PacketNode> nodes = [one, second, hundred, flood];

        foreach (int services in options.ServiceCounts)
        {
            // Three backends have ports for 46,000 flows only; a thousand services share the flows.
            var node = NewNode(new PacketNodeShape(services, 3, Algorithm.Random, SecondDevice: false), stopping);
            nodes.Add(node);
            Add($"established, {services} services", node.Pair, Established(Flows1K, services), node.Expected);
        }

        return nodes;
    }

    private void Kernel(CancellationToken stopping)
    {
        var routed = NewPair(stopping);
        Receive(routed);
        Add("kernel forwarding", routed, new Flows("10.244.2.1", Flows1K), "10.244.2.0/24");
        Add("kernel forwarding, other device", routed, new Flows("10.244.3.1", Flows1K), "10.244.3.0/24");

        var translated = NewPair(stopping);
        Receive(translated);
        Translate(translated, "10.244.2");
        Add("iptables", translated, Established(Flows1K), "10.244.2.0/24");

        var other = NewPair(stopping);
        Receive(other);
        Translate(other, "10.244.3");
        Add("iptables, other device", other, Established(Flows1K), "10.244.3.0/24");
    }

    // A veth takes frames of XDP only if it has a program itself, or GRO, which costs the stack more.
    private static void Receive(Pair pair) => pair.Attach(Pair.Uplink, pair.ToolProgram("pass"), "xdp");

    // kube-proxy's rules, without the marks that tell its services apart. A flow meets them once.
    private static void Translate(Pair pair, string backends)
    {
        string[] packets = ["PREROUTING", "-d", PacketNode.FirstService, "-p", "udp", "--dport", "80"];
        for (int left = 3; left > 0; left--)
        {
            IEnumerable<string> share = left == 1 ? [] : ["-m", "statistic", "--mode", "random", "--probability", $"{1.0 / left:0.0000}"];
            pair.InNode("iptables", ["-t", "nat", "-A", .. packets, .. share, "-j", "DNAT", "--to-destination", $"{backends}.{left}:8080"]);
        }

        pair.InNode("iptables", "-t", "nat", "-A", "POSTROUTING", "-j", "MASQUERADE");
    }

    private void Tell()
    {
        foreach (var contestant in _contestants)
        {
            report.Add(Measurement.Median(Part, contestant.Name,
                new Sample(contestant.Rounds.Select(sent => contestant.MayLose ? sent.MillionsHandledPerSecond : sent.MillionsPerSecond)),
                "Mpps", MethodOf(contestant)));
        }

        Ratio("established", "reflect", LeastEstablished);
        Ratio("established, other device", "reflect", LeastEstablished);
        Ratio("established, other device", "redirect", null);
        Ratio("redirect", "reflect", null);
        Ratio("established, 16,384 flows", "reflect", LeastManyFlows);
        Ratio("new flows", "reflect", LeastNewFlows);
        Ratio("new flows, TCP SYN", "reflect", LeastNewFlows);
        Ratio("established, IPv6", "reflect, IPv6", LeastEstablished);
        Ratio("established, other device, IPv6", "reflect, IPv6", LeastEstablished);
        Ratio("established, other device, IPv6", "redirect, IPv6", null);
        Ratio("established", "iptables", LeastOverIptables);
        Ratio("established, other device", "iptables, other device", LeastOverIptables);
        Ratio("established", "kernel forwarding", null);
        Ratio("established, 100 backends", "established", LeastFlat);
        foreach (int services in options.ServiceCounts.Skip(1))
            Ratio($"established, {services} services", $"established, {options.ServiceCounts[0]} services", LeastFlat);
        Ratio("iptables", "reflect", null);
    }

    private string MethodOf(Contestant contestant)
    {
        string what = contestant.MayLose ? "frames handled, a processor second" : "frames that arrived as expected, a processor second";
        return contestant.Name.StartsWith("iptables", StringComparison.Ordinal) ? $"{what}; {_iptables}" : what;
    }

    private void Ratio(string name, string to, double? least)
    {
        var above = _contestants.Find(contestant => contestant.Name == name);
        var below = _contestants.Find(contestant => contestant.Name == to);
        if (above is null || below is null)
            return;

        var ratios = above.Rounds.Zip(below.Rounds,
            (mine, other) => (above.MayLose ? mine.MillionsHandledPerSecond : mine.MillionsPerSecond) / other.MillionsPerSecond);
        report.Add(Measurement.Median(Part, $"{name} / {to}", new Sample(ratios), "", "of the same round",
            least is { } limit ? Bar.Least(limit) : null));
    }
}
