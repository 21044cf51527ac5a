// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net.Sockets;
using EbpfLb.Datapath.Status;
using EbpfLb.Linux;
using EbpfLb.Linux.Netlink;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Agent;

/// <summary>Looks for the rules of a kube-proxy on this node, in each of its modes. One task at a time.</summary>
/// <param name="find">Says where there are rules, each in words.</param>
internal sealed class KubeProxyRules(Func<IReadOnlyList<string>> find, TimeProvider time, ILogger logger)
{
    public const string Chain = "KUBE-SERVICES";
    public const string NftablesTable = "kube-proxy";

    // A table of iptables-legacy is read as a whole, and may have megabytes.
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(5);

    private IReadOnlyList<Problem> _problems = [];
    private long? _lookedAt;

    /// <summary>What was found at the last look, which was no longer ago than five minutes.</summary>
    public IReadOnlyList<Problem> Look()
    {
        if (_lookedAt is { } lookedAt && time.GetElapsedTime(lookedAt) < Interval)
            return _problems;

        _lookedAt = time.GetTimestamp();
        IReadOnlyList<string> places;
        try
        {
            places = find();
        }
        catch (Exception exception) when (exception is LinuxException or SocketException or IOException or UnauthorizedAccessException)
        {
            // Nobody knows, and nothing depends on it.
            logger.KubeProxyRulesUnknown(exception.Message);
            return _problems;
        }

        Problem[] problems = places.Count == 0 ? [] :
        [
            new Problem(
                "kube-proxy",
                $"kube-proxy's rules are on this node: {string.Join(", ", places)}. What this agent balances never comes to them; the rest "
                + "is translated as they say, by the endpoints of when they were written. Stop kube-proxy and run 'kube-proxy --cleanup'"),
        ];
        foreach (var problem in problems.Except(_problems))
            logger.SysctlProblem(problem.Message);
        return _problems = problems;
    }

    /// <summary>In the network namespace of the calling thread.</summary>
    public static IReadOnlyList<string> Find()
    {
        List<string> places = [];
        using (var nftables = new Nftables())
        {
            foreach (bool isIPv6 in (bool[])[false, true])
            {
                string family = isIPv6 ? "ip6" : "ip";
                if (nftables.HasTable(isIPv6, NftablesTable))
                    places.Add($"table {family} {NftablesTable} of nftables");
                if (nftables.HasChain(isIPv6, "nat", Chain))
                    places.Add($"chain {Chain} in table {family} nat of nftables");
            }
        }

        foreach (bool isIPv6 in (bool[])[false, true])
        {
            if (LegacyIptables.HasChain(isIPv6, "nat", Chain))
                places.Add($"chain {Chain} in table nat of {(isIPv6 ? "ip6tables" : "iptables")}-legacy");
        }

        return places;
    }
}
