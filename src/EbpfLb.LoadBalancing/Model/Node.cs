// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.LoadBalancing.Model;

/// <param name="Name">As in the API.</param>
/// <param name="Zone">Null when the node carries no zone label.</param>
public sealed record Node(string Name, string? Zone = null)
{
    public EquatableArray<Address> Addresses { get; init; }

    /// <summary>Deleted, or about to be by the cluster autoscaler: load balancers should send no new connections.</summary>
    public bool IsGoing { get; init; }

    /// <summary>What the addresses of its pods are taken from.</summary>
    public EquatableArray<AddressPrefix> PodCidrs { get; init; }
}
