// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Datapath.Maps;

/// <summary>Names of the maps, in the kernel and under the pin directory: at most 15 characters, the schema version last.</summary>
public static class MapNames
{
    public const string Frontends = "frontends_v1";
    public const string Vips = "vips_v1";
    public const string Services = "services_v1";
    public const string Slots = "slots_v1";
    public const string Backends = "backends_v1";
    public const string Affinity = "affinity_v1";
    public const string SockPeers = "sock_peers_v1";
    public const string SockFlows = "sock_flows_v1";
    public const string ServiceNames = "svc_names_v1";
    public const string Problems = "problems_v1";
    public const string Agent = "agent_v1";
}
