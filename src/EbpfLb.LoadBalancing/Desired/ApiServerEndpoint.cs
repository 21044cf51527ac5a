// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.LoadBalancing.Desired;

/// <summary>Where an API server of the cluster listens, over TCP.</summary>
public readonly record struct ApiServerEndpoint(Address Address, ushort Port) : IComparable<ApiServerEndpoint>
{
    public static bool operator <(ApiServerEndpoint left, ApiServerEndpoint right) => left.CompareTo(right) < 0;

    public static bool operator >(ApiServerEndpoint left, ApiServerEndpoint right) => left.CompareTo(right) > 0;

    public static bool operator <=(ApiServerEndpoint left, ApiServerEndpoint right) => left.CompareTo(right) <= 0;

    public static bool operator >=(ApiServerEndpoint left, ApiServerEndpoint right) => left.CompareTo(right) >= 0;

    public int CompareTo(ApiServerEndpoint other)
    {
        int order = Address.CompareTo(other.Address);
        return order != 0 ? order : Port.CompareTo(other.Port);
    }
}
