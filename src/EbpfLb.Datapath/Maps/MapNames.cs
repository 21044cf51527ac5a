// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Maps;

/// <summary>Names of the maps, in the kernel and under the pin directory: at most 15 characters, the schema version last.</summary>
public static class MapNames
{
    public const string Frontends = "frontends_v1";
    public const string Vips = "vips_v1";
    public const string NodeAddresses = "node_addrs_v1";
    public const string ServiceCidrs = "svc_cidrs_v1";
    public const string SourceRanges = "src_ranges_v1";
    public const string Services = "services_v1";
    public const string Slots = "slots_v1";
    public const string Backends = "backends_v1";
    public const string Affinity = "affinity_v1";
    public const string SockPeers = "sock_peers_v1";
    public const string SockFlows = "sock_flows_v1";
    public const string Conntrack = "conntrack_v1";
    public const string Fragments = "fragments_v1";
    public const string Recent = "recent_v1";
    public const string Devices = "devices_v1";
    public const string Settings = "settings_v1";
    public const string Reasons = "reasons_v1";
    public const string Counters = "counters_v1";
    public const string ServiceCounters = "svc_counters_v1";
    public const string ServiceNames = "svc_names_v1";
    public const string Problems = "problems_v1";
    public const string Agent = "agent_v1";
    public const string Audit = "audit_v1";

    /// <summary>In the order people meet them.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        Frontends, Vips, NodeAddresses, ServiceCidrs, SourceRanges, Services, Slots, Backends, Affinity, SockPeers, SockFlows, Conntrack,
        Fragments, Recent, Devices, Settings, Reasons, Counters, ServiceCounters, ServiceNames, Problems, Agent, Audit,
    ];

    /// <summary>Whether a pin has the name of one of our maps, of whatever schema version.</summary>
    public static bool IsOurs(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        int version = name.LastIndexOf("_v", StringComparison.Ordinal);
        return version > 0
            && name.AsSpan(version + 2) is { Length: > 0 } number
            && !number.ContainsAnyExceptInRange('0', '9')
            && All.Any(known => known.AsSpan(0, known.LastIndexOf("_v", StringComparison.Ordinal)).SequenceEqual(name.AsSpan(0, version)));
    }
}
