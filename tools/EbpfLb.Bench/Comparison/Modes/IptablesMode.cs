// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Diagnostics;
using EbpfLb.Bench.Comparison.Rules;
using EbpfLb.Bench.Comparison.Services;
using EbpfLb.Bench.Comparison.Traffic;
using EbpfLb.Bench.Measuring;

namespace EbpfLb.Bench.Comparison.Modes;

/// <summary>With few endpoints every run of kube-proxy reads the table back, to find chains that nothing needs any more.</summary>
/// <param name="restore">The iptables-restore of the mode's variant.</param>
internal sealed class IptablesMode(string name, ComparedNode node, string restore) : ServiceMode(name, node)
{
    public override double Program(ComparedCluster cluster, CancellationToken stopping)
    {
        RuleLoader.Restore(Node.Namespace, restore, IptablesRules.Setup, stopping);
        return Stopwatches.Time(() => RuleLoader.Restore(Node.Namespace, restore, IptablesRules.Everything(cluster), stopping));
    }

    public override void Clear() => RuleLoader.Replace(Node.Namespace, restore, IptablesRules.Nothing, CancellationToken.None);

    public override long Move(ComparedCluster before, ComparedCluster after, CancellationToken stopping)
    {
        long start = Stopwatch.GetTimestamp();
        if (IptablesRules.IsSmall(after))
            RuleLoader.List(Node.Namespace, [restore.Replace("-restore", "-save", StringComparison.Ordinal), "-t", "nat"], stopping);
        RuleLoader.Restore(Node.Namespace, restore, IptablesRules.Change(after, before.Moving, after.Moving), stopping);
        return start;
    }
}
