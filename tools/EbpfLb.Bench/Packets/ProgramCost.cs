// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Bench.Measuring;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Bench.Packets;

/// <summary>The XDP program by itself, a million times: a second view, without devices.</summary>
internal sealed class ProgramCost(BenchOptions options, Report report)
{
    private const string Part = "XDP program by itself";
    private const string Method = "a million frames by BPF_PROG_TEST_RUN, less writing them";
    private const int Frames = 1_000_000;

    public void Run(CancellationToken stopping)
    {
        using var node = PacketNode.Create(new PacketNodeShape(1, 100, Algorithm.Maglev, SecondDevice: false), stopping);
        // One flow stays in the nearest cache.
        Measure("established, 1 flow", new Flows(PacketNode.FirstService, 1));
        Measure("established, 1,024 flows", new Flows(PacketNode.FirstService, 1024));
        Measure("established, 16,384 flows", new Flows(PacketNode.FirstService, 16384));
        Measure("established, 1,024 flows, IPv6", new Flows(PacketNode.FirstServiceV6, 1024));
        Measure("not ours", new Flows("192.0.2.1", 1024));
        Measure("new flows, UDP", new Flows(PacketNode.FirstService, 0));
        Measure("new flows, TCP SYN", new Flows(PacketNode.FirstService, 0) { Protocol = "tcp" });

        void Measure(string name, Flows flows)
        {
            var samples = new List<double>();
            // The first run begins the flows.
            for (int round = 0; round <= options.PacketRounds; round++)
            {
                var repeated = node.Pair.Repeat(node.Datapath.XdpIngress, flows, Frames, stopping);
                if (round > 0)
                    samples.Add(repeated.Ns - repeated.EmptyNs);
            }

            report.Add(Measurement.Median(Part, name, new Sample(samples), "ns", Method));
        }
    }
}
