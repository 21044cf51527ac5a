// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

namespace EbpfLb.LoadBalancing.Desired;

/// <summary>A service port wants a frontend. The lowest claim has it.</summary>
/// <param name="Key">Who.</param>
/// <param name="CreatedAt">Of its service; the end of time when that is not known, so that it counts as the newest.</param>
/// <param name="IsClusterIP">Given by the cluster, so nobody who only asks for the address takes it, however old.</param>
internal readonly record struct Claim(ServicePortKey Key, DateTimeOffset CreatedAt, bool IsClusterIP) : IComparable<Claim>
{
    public int CompareTo(Claim other)
    {
        int order = other.IsClusterIP.CompareTo(IsClusterIP);
        if (order == 0)
            order = CreatedAt.CompareTo(other.CreatedAt);
        return order != 0 ? order : Key.CompareTo(other.Key);
    }
}
