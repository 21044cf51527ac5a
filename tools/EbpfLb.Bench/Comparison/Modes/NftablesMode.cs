// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using EbpfLb.Bench.Comparison.Results;
using EbpfLb.Bench.Comparison.Rules;
using EbpfLb.Bench.Comparison.Services;
using EbpfLb.Bench.Comparison.Traffic;
using EbpfLb.Bench.Measuring;

namespace EbpfLb.Bench.Comparison.Modes;

/// <summary>Every run of kube-proxy lists chains and sets, to find those that nothing needs any more; a change is one such run.</summary>
internal sealed class NftablesMode(ComparedNode node) : ServiceMode(Mode.Nftables, node)
{
    public override double Program(ComparedCluster cluster, CancellationToken stopping) =>
        Stopwatches.Time(() => RuleLoader.Nft(Node.Namespace, NftablesRules.Everything(cluster), stopping));

    public override void Clear() => RuleLoader.Nft(Node.Namespace, NftablesRules.Nothing, CancellationToken.None);

    public override long Move(ComparedCluster before, ComparedCluster after, CancellationToken stopping)
    {
        long start = Stopwatch.GetTimestamp();
        foreach (string what in new[] { "chains", "sets" })
            RuleLoader.List(Node.Namespace, ["nft", "--json", "list", what, "ip"], stopping);
        RuleLoader.Nft(Node.Namespace, NftablesRules.Change(before.Moving, after.Moving), stopping);
        return start;
    }
}
