// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Sockets;

namespace EbpfLb.Agent.Metrics;

/// <summary>Sockets that were ended because their backend is gone.</summary>
internal sealed class DeadSocketMetrics
{
    private readonly Counter _tcp;
    private readonly Counter _udp;

    public DeadSocketMetrics(MetricRegistry registry)
    {
        var ended = registry.Counters(
            "ebpflb_dead_sockets_ended_total", "Connected sockets that were ended because their backend is gone.", ["protocol"]);
        _tcp = ended.With("tcp");
        _udp = ended.With("udp");
    }

    public void Looked(DeadSocketsResult result)
    {
        _tcp.Add(result.OfTcp);
        _udp.Add(result.Ended - result.OfTcp);
    }
}
