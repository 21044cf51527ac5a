// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.LoadBalancing.Desired;

/// <summary>Which sources the load balancer addresses of a service admit in one family.</summary>
/// <param name="Prefixes">Ordered, each once. Empty: every source.</param>
/// <param name="AdmitPods">They hold all that pods of this node can have as an address.</param>
/// <param name="AdmitNode">They hold an address of this node.</param>
internal readonly record struct SourceRanges(EquatableArray<AddressPrefix> Prefixes, bool AdmitPods, bool AdmitNode)
{
    /// <param name="addresses">The service's load balancer addresses.</param>
    public static SourceRanges Of(Service service, AddressFamily family, IReadOnlyCollection<Address> addresses, NodeFacts node)
    {
        // A family that no range is of is not restricted, nor is one of which a range is everything: kube-proxy's rules.
        AddressPrefix[] own = [.. service.LoadBalancerSourceRanges.Where(prefix => prefix.Family == family).Distinct()];
        if (addresses.Count == 0 || own.Length == 0 || Array.Exists(own, static prefix => prefix.Length == 0))
            return default;

        bool Admits(AddressPrefix prefix) => Array.Exists(own, range => range.Contains(prefix));

        AddressPrefix[] pods = [.. node.PodCidrs.Where(prefix => prefix.Family == family)];
        bool admitPods = pods.Length > 0 && Array.TrueForAll(pods, Admits);
        bool admitNode = node.Addresses.Any(address => address.Family == family && Admits(AddressPrefix.Of(address)));

        // Where the load balancer address is a local one, what the node sends to it has it as source as well.
        IEnumerable<AddressPrefix> looped = admitNode ? addresses.Select(static address => AddressPrefix.Of(address)) : [];
        return new SourceRanges(own.Union(looped).Order().ToEquatableArray(), admitPods, admitNode);
    }
}
