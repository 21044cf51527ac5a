// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Bench.Measuring;
using EbpfLb.Datapath.Contract;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Bench.Packets;

/// <summary>A flood of new flows against a full table, among established connections that go on.</summary>
internal sealed class Flood(BenchOptions options, Report report)
{
    private const int Connections = 200;
    private const int Every = 150;
    private const double LeastSurvivors = 0.99;

    private const uint XdpTx = 3;

    // Few backends run out of SNAT ports long before the table is full.
    private static readonly (string Protocol, int Backends)[] All = [("tcp", 100), ("udp", 100), ("tcp", 3)];

    public void Run(CancellationToken stopping)
    {
        foreach (var (protocol, backends) in All.Take(options.Floods))
            Run(protocol, backends, stopping);
    }

    private void Run(string protocol, int backends, CancellationToken stopping)
    {
        string kind = protocol == "tcp" ? "TCP SYN" : "UDP";
        string part = $"flood of {kind}, {backends} backends, {Connections} established flows of the same kind";
        using var node = PacketNode.Create(new PacketNodeShape(1, backends, Algorithm.Maglev, SecondDevice: false), stopping);
        var known = new Flows(PacketNode.FirstService, Connections) { Protocol = protocol };
        var before = node.Pair.Ask(node.Datapath.XdpIngress, known, handshake: protocol == "tcp", stopping);
        if (before.Count != Connections || before.Any(frame => frame.Verdict != XdpTx))
            throw new BenchException($"{part}: not every connection could be established");

        var flood = new Flows(PacketNode.FirstService, 0) { Protocol = protocol, Every = Every, MixedCount = Connections };
        // Fills the table.
        node.Pair.Send(flood, node.Expected, options.Seconds, stopping);
        var reasons = node.Datapath.Reasons();
        var sent = node.Pair.Send(flood, node.Expected, options.Seconds, stopping);
        var difference = node.Datapath.Reasons()
            .Select(reason => (reason.Key, Value: reason.Value - reasons.GetValueOrDefault(reason.Key)))
            .Where(reason => reason.Value > 0);

        int present = before.Count(frame => node.Datapath.Maps.Conntrack.TryGet(KeyOf(frame, protocol), out _));
        var after = node.Pair.Ask(node.Datapath.XdpIngress, known with { TcpFlags = "ack" }, handshake: false, stopping);
        int same = before.Zip(after).Count(pair => pair.First == pair.Second);
        var late = new Flows(PacketNode.FirstService, 2 * Connections) { Protocol = protocol };
        int served = node.Pair.Ask(node.Datapath.XdpIngress, late, handshake: protocol == "tcp", stopping)
            .Skip(Connections)
            .Count(frame => frame.Verdict == XdpTx);

        string told = string.Join(", ", difference.Select(reason => $"{reason.Key} {reason.Value:#,##0}"));
        report.Add(new Measurement(part, "frames handled", sent.MillionsHandledPerSecond, "Mpps", told));
        report.Add(new Measurement(part, "frames that got through", 100 * (1 - sent.Lost), "%", "of all that were sent"));
        report.Add(new Measurement(part, "entries in the table", node.Datapath.Maps.Conntrack.ReadAll().Count, "",
            $"of {node.Datapath.Maps.Conntrack.MaxEntries}"));
        report.Add(new Measurement(part, "established flows in the table", (double)present / Connections, "", "right after the flood"));
        report.Add(new Measurement(part, "translated as before", (double)same / Connections, "", "same backend, same SNAT port",
            Bar.Least(LeastSurvivors)));
        report.Add(new Measurement(part, "new connections served", (double)served / Connections, "",
            $"{Connections} of another source port, after the flood",
            Bar.Least(LeastSurvivors)));
    }

    private static ConntrackKey KeyOf(Translated frame, string protocol) => new()
    {
        Source = Address.Parse($"198.51.100.{1 + frame.Flow % 128}"),
        Destination = Address.Parse(PacketNode.FirstService),
        SourcePort = new BigEndian16((ushort)(1024 + frame.Flow / 128)),
        DestinationPort = new BigEndian16(Flows.Port),
        Protocol = protocol == "tcp" ? Protocol.Tcp : Protocol.Udp,
        Side = Side.Ingress,
    };
}
