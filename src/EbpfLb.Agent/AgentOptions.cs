// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Conntrack;
using EbpfLb.Datapath.Devices;
using EbpfLb.Datapath.Loading;
using EbpfLb.Datapath.Maps;
using EbpfLb.Kubernetes.Api;
using EbpfLb.LoadBalancing.Maglev;
using EbpfLb.LoadBalancing.Model;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Agent;

/// <summary>What an operator can set. Validated as a whole before anything is touched.</summary>
public sealed record AgentOptions
{
    /// <summary>As the API names this node; endpoints that carry it are local.</summary>
    public required string NodeName { get; init; }

    /// <summary>Directory of Service, EndpointSlice, Node and ServiceCIDR manifests. Null: there is an API server.</summary>
    public string? Manifests { get; init; }

    /// <summary>The API server to follow. Null: there are manifests.</summary>
    public ApiOptions? Api { get; init; }

    public ServingOptions Serving { get; init; } = new();

    public ConntrackSysctls ConntrackSysctls { get; init; } = ConntrackSysctls.LeaveAll;

    /// <summary>Of the agent, -1000 to 1000. Null: it stays.</summary>
    public int? OomScoreAdj { get; init; }

    public DatapathOptions Datapath { get; init; } = new();

    /// <summary>Null to look in PATH, /usr/sbin and /sbin.</summary>
    public string? Bpftool { get; init; }

    /// <summary>In a container /proc/sys is read-only; the node's is then mounted elsewhere.</summary>
    public string ProcSys { get; init; } = "/proc/sys";

    public DeviceOptions Devices { get; init; } = new();

    public FlowSettings Flows { get; init; } = new();

    public MaglevOptions Maglev { get; init; } = new();

    /// <summary>Serve external IPs that are addresses of this node, and load balancer addresses at every port of them.</summary>
    public bool AllowNodeExternalIPs { get; init; }

    /// <summary>Of services that name none. Null: Maglev for those reachable from outside, else random.</summary>
    public Algorithm? DefaultAlgorithm { get; init; }

    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    /// <summary>What was set and is not done, for the log. Printable.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>What is wrong, one sentence each, all at once; empty when nothing is.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        if (string.IsNullOrWhiteSpace(NodeName))
            errors.Add("--node-name is empty. Give the name the API has for this node; the default is the host name.");
        if (Manifests is null == Api is null)
            errors.Add("One source is needed: an API server or --manifests DIR, not both.");
        if (Manifests is not null && !Directory.Exists(Manifests))
            errors.Add($"--manifests {Manifests}: there is no such directory. Create it, or name another.");
        if (!Directory.Exists(Path.Combine(ProcSys, "net")))
            errors.Add($"--proc-sys {ProcSys}: there is no directory 'net' in it. Name /proc/sys, or where it is mounted.");
        if (OomScoreAdj is < -1000 or > 1000)
            errors.Add($"--oom-score-adj {OomScoreAdj}: the kernel takes -1000 to 1000.");
        errors.AddRange(Maglev.Validate());
        errors.AddRange(Devices.Validate());
        errors.AddRange(Flows.Validate());
        foreach (var (name, size) in Datapath.MapSizes)
        {
            if (!MapNames.All.Contains(name))
                errors.Add($"--map-size {name}={size}: there is no such map. The maps are {string.Join(", ", MapNames.All)}.");
            else if (name is MapNames.SockPeers or MapNames.Recent or MapNames.Settings or MapNames.Reasons or MapNames.Agent
                or MapNames.Audit)
                errors.Add($"--map-size {name}={size}: this map has no size to choose.");
            else if (size == 0)
                errors.Add($"--map-size {name}=0: a map has at least one entry.");
        }

        return errors;
    }
}
