// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Runtime.InteropServices;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.LoadBalancing.Selection;

/// <summary>
/// Decides which endpoints of a service port are used, by the rules of kube-proxy:
/// <code>
///   slices -> candidates (name, protocol, family match) -> one per address and port
///      Cluster list: ready ones the topology hints leave; if none is ready, all that terminate and still serve
///      Local list:   ready ones on this node;             if none is ready, those on this node that terminate and still serve
/// </code>
/// The lists fall back independently of each other. Endpoints of TCP ports, and those of UDP ports that serve, are given even when they are
/// in neither: they keep what flows to them. Keeps its buffers between calls: one thread at a time.
/// </summary>
/// <param name="nodeName">The node that decides what is local.</param>
internal sealed class EndpointSelector(string nodeName)
{
    private static readonly Comparison<Candidate> ByAddressThenBest = static (left, right) =>
    {
        int order = left.Address.CompareTo(right.Address);
        if (order == 0)
            order = left.Port.CompareTo(right.Port);
        if (order == 0)
            order = left.Rank.CompareTo(right.Rank);
        return order != 0 ? order : left.Sequence.CompareTo(right.Sequence);
    };

    private readonly List<Candidate> _candidates = [];
    private readonly List<Backend> _backends = [];

    private enum Topology
    {
        Any,
        SameNode,
        SameZone,
    }

    /// <param name="zone">Of this node; null when not known, which no zone hint matches.</param>
    public EndpointSelection Select(
        ReadOnlySpan<EndpointSlice> slices, string portName, Protocol protocol, AddressFamily family, TrafficScope scope, string? zone)
    {
        _candidates.Clear();
        _backends.Clear();
        Collect(slices, portName, protocol, family);
        var candidates = Deduplicate();

        bool anyReady = false, anyFallback = false, anyLocalReady = false;
        foreach (ref readonly var candidate in candidates)
        {
            anyReady |= candidate.Endpoint.Ready;
            anyFallback |= candidate.IsFallback;
            anyLocalReady |= candidate.OnNode && candidate.Endpoint.Ready;
        }

        var topology = scope.UsesClusterList && anyReady ? TopologyOf(candidates, zone) : Topology.Any;
        foreach (ref readonly var candidate in candidates)
        {
            var lists = BackendFlags.None;
            if (scope.UsesClusterList && (anyReady ? candidate.Endpoint.Ready && Suits(candidate, topology, zone) : candidate.IsFallback))
                lists |= BackendFlags.InCluster;
            if (scope.UsesLocalList && candidate.OnNode && (anyLocalReady ? candidate.Endpoint.Ready : candidate.IsFallback))
                lists |= BackendFlags.InLocal;
            if (lists == BackendFlags.None && !KeepsFlows(candidate, protocol))
                continue;

            var facts = (candidate.OnNode ? BackendFlags.OnNode : BackendFlags.None)
                | (candidate.IsFallback ? BackendFlags.Terminating : BackendFlags.None);
            _backends.Add(new Backend(candidate.Address, candidate.Port, lists | facts));
        }

        return new EndpointSelection(EquatableArray.Create<Backend>(CollectionsMarshal.AsSpan(_backends)), anyReady || anyFallback);
    }

    private void Collect(ReadOnlySpan<EndpointSlice> slices, string portName, Protocol protocol, AddressFamily family)
    {
        foreach (var slice in slices)
        {
            if (slice.Family != family)
                continue;

            foreach (var port in slice.Ports)
            {
                if (port.Protocol != protocol || port.Name != portName || port.Port == 0)
                    continue;

                foreach (var endpoint in slice.Endpoints)
                {
                    if (endpoint.Address.Family == family)
                        _candidates.Add(new Candidate(endpoint, port.Port, endpoint.NodeName == nodeName, _candidates.Count));
                }
            }
        }
    }

    // While an endpoint moves between slices it stands in both, and the copies may differ. The first of its kind in order stays.
    private ReadOnlySpan<Candidate> Deduplicate()
    {
        var candidates = CollectionsMarshal.AsSpan(_candidates);
        candidates.Sort(ByAddressThenBest);
        int kept = 0;
        foreach (ref readonly var candidate in candidates)
        {
            if (kept == 0 || candidates[kept - 1].Port != candidate.Port || candidates[kept - 1].Address != candidate.Address)
                candidates[kept++] = candidate;
        }

        return candidates[..kept];
    }

    // All or nothing: one ready endpoint without a hint means the hints are half written, and following them would concentrate traffic.
    private Topology TopologyOf(ReadOnlySpan<Candidate> candidates, string? zone)
    {
        bool allNameNodes = true, allNameZones = true, anyForNode = false, anyForZone = false;
        foreach (ref readonly var candidate in candidates)
        {
            var endpoint = candidate.Endpoint;
            if (!endpoint.Ready)
                continue;

            allNameNodes &= !endpoint.NodeHints.IsEmpty;
            allNameZones &= !endpoint.ZoneHints.IsEmpty;
            anyForNode |= Names(endpoint.NodeHints, nodeName);
            anyForZone |= Names(endpoint.ZoneHints, zone);
        }

        return allNameNodes && anyForNode ? Topology.SameNode : allNameZones && anyForZone ? Topology.SameZone : Topology.Any;
    }

    // Who sends datagrams from one port does not know that its endpoint is no longer given to others: as long as it serves, the flow stays.
    // A connection ends with an endpoint that is gone; one that is there, whatever its conditions say, may still answer.
    private static bool KeepsFlows(in Candidate candidate, Protocol protocol) =>
        protocol == Protocol.Tcp || (protocol == Protocol.Udp && (candidate.Endpoint.Ready || candidate.Endpoint.Serving));

    private bool Suits(in Candidate candidate, Topology topology, string? zone) => topology switch
    {
        Topology.SameNode => Names(candidate.Endpoint.NodeHints, nodeName),
        Topology.SameZone => Names(candidate.Endpoint.ZoneHints, zone),
        _ => true,
    };

    private static bool Names(EquatableArray<string> hints, string? name) =>
        !string.IsNullOrEmpty(name) && hints.AsSpan().Contains(name);

    private readonly struct Candidate(Endpoint endpoint, ushort port, bool onNode, int sequence)
    {
        public readonly Endpoint Endpoint = endpoint;
        public readonly Address Address = endpoint.Address;
        public readonly int Sequence = sequence;
        public readonly ushort Port = port;
        public readonly bool OnNode = onNode;

        // Of several copies the lowest wins.
        public readonly byte Rank =
            (byte)((endpoint.Terminating ? 8 : 0) | (endpoint.Ready ? 0 : 4) | (endpoint.Serving ? 0 : 2) | (onNode ? 0 : 1));

        /// <summary>Used only when no ready one is left.</summary>
        public bool IsFallback => !Endpoint.Ready && Endpoint.Serving && Endpoint.Terminating;
    }
}
