// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Conntrack;
using EbpfLb.Datapath.Status;
using EbpfLb.LoadBalancing.Model;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Agent;

/// <summary>What the packet path needs of the kernel's settings. /proc/sys/net shows those of the reader's network namespace.</summary>
/// <param name="root">/proc/sys, or a copy of it.</param>
internal sealed class NodeSysctls(string root, ILogger logger)
{
    private const string ReservedPortsName = "net.ipv4.ip_local_reserved_ports";
    private const string RouteLocalnetName = "net.ipv4.conf.all.route_localnet";
    private const string Off = "0";
    private const string On = "1";

    private static readonly (AddressFamily Family, string Name)[] Forwarding =
        [(AddressFamily.IPv4, "net.ipv4.ip_forward"), (AddressFamily.IPv6, "net.ipv6.conf.all.forwarding")];

    private IReadOnlyList<Problem> _problems = [];

    /// <summary>
    /// For when a device is attached, and now and then from there on: before that nothing is forwarded, and nothing of the node need
    /// change. A problem is logged when it comes.
    /// </summary>
    /// <param name="families">Those that packets are sent on in: the node has an address to masquerade with.</param>
    /// <returns>What is not as it should be now.</returns>
    public IReadOnlyList<Problem> Prepare(FlowSettings flows, IEnumerable<AddressFamily> families)
    {
        var wanted = families.ToHashSet();
        Problem[] problems =
        [
            .. Reserve(flows) is { } unreserved ? [unreserved] : Array.Empty<Problem>(),
            // Absent: the node has no such family.
            .. Forwarding.Where(sysctl => wanted.Contains(sysctl.Family) && TryRead(sysctl.Name) == Off).Select(sysctl => new Problem(
                sysctl.Name,
                $"{sysctl.Name} is 0: this node does not forward, so {sysctl.Family} packets to backends on other nodes are dropped. "
                + "Set it to 1")),
            .. TryRead(RouteLocalnetName) == On
                ? [
                    new Problem(
                        RouteLocalnetName,
                        $"{RouteLocalnetName} is 1: packets from the wire reach what listens on 127.0.0.1 of this node, unless a firewall "
                        + "drops them. kube-proxy needs it, this agent does not. Set it to 0"),
                ]
                : Array.Empty<Problem>(),
        ];
        foreach (var problem in problems.Except(_problems))
            logger.SysctlProblem(problem.Message);
        _problems = problems;
        return problems;
    }

    private Problem? Reserve(FlowSettings flows)
    {
        try
        {
            string path = PathOf(ReservedPortsName);
            if (ReservedPorts.Add(File.ReadAllText(path).Trim(), flows.SnatPortFirst, flows.SnatPortLast) is { } text)
                File.WriteAllText(path, text);
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or FormatException)
        {
            return new Problem(
                ReservedPortsName,
                $"{ReservedPortsName} was not given ports {flows.SnatPortFirst}-{flows.SnatPortLast}: {exception.Message.TrimEnd('.')}. A socket "
                + "that gets one of them may lose packets to masqueraded flows. Add them yourself, or choose others with --snat-ports");
        }
    }

    private string? TryRead(string name)
    {
        try
        {
            return File.ReadAllText(PathOf(name)).Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private string PathOf(string name) => Path.Combine(root, name.Replace('.', '/'));
}
