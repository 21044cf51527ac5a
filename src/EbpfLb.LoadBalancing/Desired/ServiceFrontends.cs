// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.LoadBalancing.Desired;

/// <summary>What a service claims, whether or not it gets it: all it asks for that is not refused to everybody.</summary>
internal static class ServiceFrontends
{
    private static readonly Comparison<(ServicePortKey Key, Frontend Frontend)> ByKeyThenFrontend = static (left, right) =>
    {
        int order = left.Key.CompareTo(right.Key);
        if (order == 0)
            order = left.Frontend.Key.Address.CompareTo(right.Frontend.Key.Address);
        return order != 0 ? order : left.Frontend.Key.Port.CompareTo(right.Frontend.Key.Port);
    };

    /// <summary>
    /// Ordered by key, then frontend; no frontend twice under one key. Two ports of one name and protocol have one key: endpoints are
    /// matched by name and protocol, so they have the same backends. A family without a cluster IP has no frontends of any kind.
    /// </summary>
    public static (ServicePortKey Key, Frontend Frontend)[] Of(Service service, ExternalAddressRules rules) =>
        Of(service, rules, refused: null);

    /// <summary>What a service asks for and does not claim, ordered like what it claims.</summary>
    public static EquatableArray<FrontendRefusal> RefusedOf(Service service, ExternalAddressRules rules)
    {
        var refused = new List<FrontendRefusal>();
        Of(service, rules, refused);
        return refused.OrderBy(static refusal => refusal.Key).ThenBy(static refusal => refusal.Frontend.Address)
            .ThenBy(static refusal => refusal.Frontend.Port).ThenBy(static refusal => refusal.Kind).ToEquatableArray();
    }

    private static (ServicePortKey Key, Frontend Frontend)[] Of(
        Service service, ExternalAddressRules rules, List<FrontendRefusal>? refused)
    {
        var frontends = new List<(ServicePortKey Key, Frontend Frontend)>(service.Ports.Count * service.ClusterIPs.Count);
        foreach (var port in service.Ports)
        {
            foreach (var clusterIP in service.ClusterIPs)
            {
                var key = new ServicePortKey(service.Name, port.Name, port.Protocol, clusterIP.Family);
                Add(clusterIP, port.Port, FrontendKind.ClusterIP);
                if (port.NodePort != 0)
                    Add(Address.Any(key.Family), port.NodePort, FrontendKind.NodePort);
                AddAll(service.LoadBalancerIPs, FrontendKind.LoadBalancer);
                AddAll(service.ExternalIPs, FrontendKind.ExternalIP);

                void AddAll(EquatableArray<Address> addresses, FrontendKind kind)
                {
                    foreach (var address in addresses)
                    {
                        if (address.Family != key.Family)
                            continue;
                        if (rules.Find(key, new FrontendAddress(address, port.Port, port.Protocol), kind, service.ClusterIPs) is { } refusal)
                            refused?.Add(refusal);
                        else
                            Add(address, port.Port, kind);
                    }
                }

                void Add(Address address, ushort number, FrontendKind kind) =>
                    frontends.Add((key, new Frontend(new FrontendAddress(address, number, port.Protocol), kind)));
            }
        }

        return Merge([.. frontends]);
    }

    /// <summary>Can be dialled from outside the cluster.</summary>
    public static bool IsExternal(this FrontendKind kind) => (kind & ~FrontendKind.ClusterIP) != FrontendKind.None;

    // An address may be of several kinds: one frontend that is all of them.
    private static (ServicePortKey Key, Frontend Frontend)[] Merge((ServicePortKey Key, Frontend Frontend)[] frontends)
    {
        frontends.AsSpan().Sort(ByKeyThenFrontend);
        int count = 0;
        foreach (var (key, frontend) in frontends)
        {
            if (count > 0 && frontends[count - 1] is var (lastKey, last) && lastKey == key && last.Key == frontend.Key)
                frontends[count - 1] = (key, last with { Kind = last.Kind | frontend.Kind });
            else
                frontends[count++] = (key, frontend);
        }

        return count == frontends.Length ? frontends : frontends[..count];
    }
}
