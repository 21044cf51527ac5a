// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using EbpfLb.Bench.Comparison.Results;
using EbpfLb.Bench.Comparison.Rules;
using EbpfLb.Bench.Comparison.Services;
using EbpfLb.Bench.Comparison.Traffic;
using EbpfLb.Bench.Measuring;
using EbpfLb.Bench.Packets;

namespace EbpfLb.Bench.Comparison;

/// <summary>What else decides how fast things are, and how figures came about that need a word.</summary>
internal static class Surroundings
{
    private const string Vulnerabilities = "/sys/devices/system/cpu/vulnerabilities";

    private static readonly string[] Offloads =
        ["tx-checksumming", "scatter-gather", "tcp-segmentation-offload", "generic-segmentation-offload", "generic-receive-offload"];

    public static IReadOnlyList<Fact> Describe(ComparisonOptions options, ComparedNode node, CancellationToken stopping) =>
    [
        .. Machine.Describe().Select(fact => new Fact(fact.Key, fact.Value)),
        new("mitigations", Mitigations()),
        new("frequency", ReadOr("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "not controlled by the kernel")),
        new("BPF JIT", $"{ReadOr("/proc/sys/net/core/bpf_jit_enable", "unknown")}, hardening "
            + ReadOr("/proc/sys/net/core/bpf_jit_harden", "unknown")),
        new("iptables", Said([options.IptablesRestore, "--version"], stopping)),
        new("iptables, legacy", Said([IptablesVariant.LegacyRestore, "--version"], stopping)),
        new("nft", Said(["nft", "--version"], stopping).Split(" (")[0]),
        new("conntrack", $"{ReadOr("/proc/sys/net/netfilter/nf_conntrack_max", "none")} entries in "
            + $"{ReadOr("/proc/sys/net/netfilter/nf_conntrack_buckets", "no")} buckets"),
        new("congestion control", ReadOr("/proc/sys/net/ipv4/tcp_congestion_control", "unknown")),
        new("offloads", OffloadsOf(node, stopping)),
        new("agent", $"{Said([options.Agent, "--version"], stopping)}, --xdp {options.Xdp}"),
        new("kube-proxy", "not run, not even where there is one: rules are rendered by this tool, of the structure that kube-proxy 1.36 "
            + "renders, and loaded by the same commands. Its own work, its watch and the second it waits between two runs are in no figure"),
        new("services", $"{ComparedCluster.EndpointsPerService} endpoints each, none of them there; the dialled one in the middle of them, "
            + "reachable from outside as the only one but one; two more for backends on another node and for changes"),
        new("pods", "routed by the node, as those of a CNI without a bridge; br_netfilter is off"),
        new("kernel memory", "maps: what the kernel accounts to them; rules: what objects of kmalloc, VmallocUsed and Percpu grow "
            + "by (/proc/slabinfo, /proc/meminfo)"),
        new("endpoint change", "rules: from rendering on; ebpf: from the write to the API server on"),
    ];

    private static string Mitigations()
    {
        if (!Directory.Exists(Vulnerabilities))
            return "unknown";

        var stated = Directory.EnumerateFiles(Vulnerabilities)
            .Select(file => (Name: Path.GetFileName(file), State: ReadOr(file, "unknown")))
            .Where(fact => fact.State != "Not affected")
            .OrderBy(fact => fact.Name, StringComparer.Ordinal)
            .Select(fact => $"{fact.Name}: {fact.State}");
        return string.Join("; ", stated) is { Length: > 0 } text ? text : "none needed";
    }

    private static string OffloadsOf(ComparedNode node, CancellationToken stopping)
    {
        try
        {
            string features = Command.Run("nsenter", [$"--net={node.Namespace}", "--", "ethtool", "-k", "eth0"], stopping);
            var lines = features.Split('\n').Where(line => Offloads.Any(name => line.StartsWith(name + ":", StringComparison.Ordinal)));
            return "of veth: " + string.Join(", ", lines.Select(line => line.Trim().Replace(": ", " ", StringComparison.Ordinal)));
        }
        catch (BenchException)
        {
            return "veth, as the kernel sets them (there is no ethtool)";
        }
    }

    private static string Said(IReadOnlyList<string> command, CancellationToken stopping)
    {
        try
        {
            return Command.Run(command[0], [.. command.Skip(1)], stopping).Split('\n')[0].Trim();
        }
        catch (BenchException exception)
        {
            return string.Create(CultureInfo.InvariantCulture, $"not there: {exception.Message}");
        }
    }

    private static string ReadOr(string file, string otherwise)
    {
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (IOException)
        {
            return otherwise;
        }
    }
}
