// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.LoadBalancing.Desired;

/// <summary>What a service claims, whether or not it gets it.</summary>
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
    /// matched by name and protocol, so they have the same backends.
    /// </summary>
    public static (ServicePortKey Key, Frontend Frontend)[] Of(Service service)
    {
        var frontends = new (ServicePortKey Key, Frontend Frontend)[service.Ports.Count * service.ClusterIPs.Count];
        int count = 0;
        foreach (var port in service.Ports)
        {
            foreach (var address in service.ClusterIPs)
            {
                var key = new ServicePortKey(service.Name, port.Name, port.Protocol, address.Family);
                var frontend = new Frontend(new FrontendAddress(address, port.Port, port.Protocol), FrontendKind.ClusterIP);
                if (!frontends.AsSpan(0, count).Contains((key, frontend)))
                    frontends[count++] = (key, frontend);
            }
        }

        frontends.AsSpan(0, count).Sort(ByKeyThenFrontend);
        return count == frontends.Length ? frontends : frontends[..count];
    }

    /// <summary>Can be dialled from outside the cluster.</summary>
    public static bool IsExternal(this FrontendKind kind) => kind != FrontendKind.ClusterIP;
}
