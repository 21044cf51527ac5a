// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using EbpfLb.Bench.Comparison.Results;
using EbpfLb.Bench.Comparison.Rules;
using EbpfLb.Bench.Comparison.Services;
using EbpfLb.Bench.Comparison.Traffic;
using EbpfLb.Bench.Measuring;

namespace EbpfLb.Bench.Comparison.Modes;

internal sealed class NftablesMode(ComparedNode node) : ServiceMode(Mode.Nftables, node)
{
    public override double Program(ComparedCluster cluster, CancellationToken stopping) =>
        Stopwatches.Time(() => RuleLoader.Nft(Node.Namespace, NftablesRules.Everything(cluster), stopping));

    public override void Clear() => RuleLoader.Nft(Node.Namespace, NftablesRules.Nothing, CancellationToken.None);

    public override long Move(ComparedCluster before, ComparedCluster after, CancellationToken stopping)
    {
        long start = Stopwatch.GetTimestamp();
        RuleLoader.Nft(Node.Namespace, NftablesRules.Change(before.Moving, after.Moving), stopping);
        return start;
    }
}
