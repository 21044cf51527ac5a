// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Bench.Comparison.Results;
using EbpfLb.Bench.Comparison.Services;
using EbpfLb.Bench.Comparison.Traffic;

namespace EbpfLb.Bench.Comparison.Modes;

/// <summary>Nothing is programmed: backends themselves are dialled.</summary>
internal sealed class DirectMode(ComparedNode node) : ServiceMode(Mode.Direct, node)
{
    public override double Program(ComparedCluster cluster, CancellationToken stopping) => 0;

    public override void Clear()
    {
    }

    public override long Move(ComparedCluster before, ComparedCluster after, CancellationToken stopping) =>
        throw new InvalidOperationException("without services no endpoint changes");
}
