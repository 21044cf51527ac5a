// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.LoadBalancing.Model;

/// <summary>
/// A Service that gets frontends. Headless and ExternalName services, and those of another proxy, never become one:
/// to this model they do not exist.
/// </summary>
public sealed record Service
{
    public required ObjectName Name { get; init; }

    /// <summary>Tells two objects of one name apart. Empty when the source does not say.</summary>
    public string Uid { get; init; } = "";

    /// <summary>Null when the source does not say: such a service counts as the newest.</summary>
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>At most one of each family.</summary>
    public EquatableArray<Address> ClusterIPs { get; init; }

    public EquatableArray<ServicePort> Ports { get; init; }

    /// <summary>What a load balancer outside sends on as it came. Those of a family without a cluster IP are not served.</summary>
    public EquatableArray<Address> LoadBalancerIPs { get; init; }

    /// <summary>Served like <see cref="LoadBalancerIPs"/>, but to every source.</summary>
    public EquatableArray<Address> ExternalIPs { get; init; }

    /// <summary>The sources that <see cref="LoadBalancerIPs"/> admit; a family without any admits all.</summary>
    public EquatableArray<AddressPrefix> LoadBalancerSourceRanges { get; init; }

    /// <summary>0 means no session affinity.</summary>
    public uint AffinityTimeoutSeconds { get; init; }

    public TrafficPolicy InternalTrafficPolicy { get; init; }

    public TrafficPolicy ExternalTrafficPolicy { get; init; }

    /// <summary>
    /// Where a load balancer outside asks whether this node has endpoints of the service; 0 when it does not ask. Only of type
    /// LoadBalancer with external policy Local.
    /// </summary>
    public ushort HealthCheckNodePort { get; init; }

    /// <summary>Null when the service names none: the agent's default.</summary>
    public Algorithm? Algorithm { get; init; }

    /// <summary>Slots of the Maglev table; 0 when the service names no size: the agent's default.</summary>
    public int MaglevTableSize { get; init; }
}

/// <param name="Name">Empty when the service has one port without a name.</param>
/// <param name="Protocol">The protocol of the frontend and of its backends.</param>
/// <param name="Port">What a client dials, host order, not 0.</param>
/// <param name="NodePort">What a client dials at any address of the node; 0 when there is none.</param>
public sealed record ServicePort(string Name, Protocol Protocol, ushort Port, ushort NodePort = 0);

public enum TrafficPolicy : byte
{
    Cluster = 0,
    Local = 1,
}

/// <summary>The numbers are those of <c>enum lb_algorithm</c>.</summary>
public enum Algorithm : byte
{
    Random = 0,
    Maglev = 1,
}
