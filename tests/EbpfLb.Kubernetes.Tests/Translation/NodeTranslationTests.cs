// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Objects;
using EbpfLb.Kubernetes.Translation;

namespace EbpfLb.Kubernetes.Tests.Translation;

public sealed class NodeTranslationTests
{
    private readonly ProblemList _problems = new();

    [Theory]
    [InlineData(false, null, false)]
    [InlineData(false, "node.kubernetes.io/not-ready", false)]
    [InlineData(false, "DeletionCandidateOfClusterAutoscaler", false)]
    [InlineData(false, "ToBeDeletedByClusterAutoscaler", true)]
    [InlineData(true, null, true)]
    public void S31_Node_is_going_when_it_is_being_deleted_or_the_autoscaler_says_so(bool deleted, string? taint, bool expected)
    {
        var node = NodeTranslation.Translate(
            new NodeObject
            {
                Metadata = new ObjectMeta { Name = "node-1", DeletionTimestamp = deleted ? DateTimeOffset.UnixEpoch : null },
                TaintKeys = taint is null ? null : ["node.kubernetes.io/unschedulable", taint],
            },
            _problems);

        Assert.Equal(expected, node!.IsGoing);
        Assert.Empty(_problems.Kept);
    }
}
