// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.LoadBalancing.Desired;

/// <summary>What the datapath should hold for one service: everything decided, nothing encoded.</summary>
/// <param name="Name">The Service object.</param>
/// <param name="Ports">One per service port and family that the service has an address of; ordered by key.</param>
public sealed record DesiredService(ObjectName Name, EquatableArray<DesiredPort> Ports);

/// <summary>One service port in one family: the scope of session affinity, and one service id in the maps.</summary>
public sealed record DesiredPort
{
    public required ServicePortKey Key { get; init; }

    /// <summary>
    /// Only those this service port won against others that claim them. A port that won none stays, with its backends: when the winner
    /// goes, one frontend entry is all that is missing.
    /// </summary>
    public EquatableArray<Frontend> Frontends { get; init; }

    /// <summary>
    /// Every backend of either list, and of UDP ports those in neither whose flows go on; ordered by address, then port.
    /// </summary>
    public EquatableArray<Backend> Backends { get; init; }

    /// <summary>True if a usable endpoint exists anywhere, even when both lists of this node are empty.</summary>
    public bool HasEndpoints { get; init; }

    public uint AffinityTimeoutSeconds { get; init; }

    public TrafficPolicy InternalTrafficPolicy { get; init; }

    public TrafficPolicy ExternalTrafficPolicy { get; init; }

    /// <summary>What its load balancer frontends admit, ordered; empty: every source.</summary>
    public EquatableArray<AddressPrefix> SourceRanges { get; init; }

    /// <summary>The ranges hold every address that a pod of this node can have.</summary>
    public bool AdmitsPods { get; init; }

    /// <summary>The ranges hold an address of this node.</summary>
    public bool AdmitsNode { get; init; }

    public Algorithm Algorithm { get; init; }

    /// <summary>Already resolved: 0 unless <see cref="Algorithm"/> is Maglev and a list has backends.</summary>
    public int MaglevTableSize { get; init; }

    /// <summary>
    /// The size asked for had fewer slots than there are backends, and <see cref="MaglevTableSize"/> is larger, or the largest there is.
    /// Worth a warning.
    /// </summary>
    public bool MaglevTableTooSmall { get; init; }
}

public readonly record struct ServicePortKey(ObjectName Service, string PortName, Protocol Protocol, AddressFamily Family)
    : IComparable<ServicePortKey>
{
    public static bool operator <(ServicePortKey left, ServicePortKey right) => left.CompareTo(right) < 0;

    public static bool operator >(ServicePortKey left, ServicePortKey right) => left.CompareTo(right) > 0;

    public static bool operator <=(ServicePortKey left, ServicePortKey right) => left.CompareTo(right) <= 0;

    public static bool operator >=(ServicePortKey left, ServicePortKey right) => left.CompareTo(right) >= 0;

    public int CompareTo(ServicePortKey other)
    {
        int order = Service.CompareTo(other.Service);
        if (order == 0)
            order = string.CompareOrdinal(PortName, other.PortName);
        if (order == 0)
            order = Protocol.CompareTo(other.Protocol);
        return order != 0 ? order : Family.CompareTo(other.Family);
    }

    /// <summary>namespace/name:port-name, without the colon when the port has no name. Protocol and family are told beside it.</summary>
    public string DisplayName => PortName.Length == 0 ? Service.ToString() : $"{Service}:{PortName}";

    public override string ToString() => $"{DisplayName} ({Protocol.ToApiName()}, {Family})";
}

/// <param name="Address">The unspecified one of a family stands for every address of the node.</param>
public readonly record struct FrontendAddress(Address Address, ushort Port, Protocol Protocol)
{
    public override string ToString() =>
        Address.IsIPv4 ? $"{Address}:{Port}/{Protocol.ToApiName()}" : $"[{Address}]:{Port}/{Protocol.ToApiName()}";
}

public readonly record struct Frontend(FrontendAddress Key, FrontendKind Kind);

/// <summary>The numbers are the bits of <c>enum lb_frontend_flags</c>.</summary>
[Flags]
public enum FrontendKind : byte
{
    None = 0,
    ClusterIP = 1,
    NodePort = 2,
    LoadBalancer = 4,
    ExternalIP = 8,
}

/// <param name="Address">Of the endpoint; of the family of its service port key.</param>
/// <param name="Port">Where the endpoint listens, host order.</param>
/// <param name="Flags">Which lists it is in, and what it is.</param>
public readonly record struct Backend(Address Address, ushort Port, BackendFlags Flags);

/// <summary>The numbers are those of <c>enum lb_backend_flags</c>.</summary>
[Flags]
public enum BackendFlags : byte
{
    None = 0,
    InCluster = 1,
    InLocal = 2,
    OnNode = 4,
    Terminating = 8,
}
