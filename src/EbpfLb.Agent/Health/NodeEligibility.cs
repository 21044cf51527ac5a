// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Datapath.Status;
using EbpfLb.LoadBalancing.Model;
using Microsoft.Extensions.Logging;

namespace EbpfLb.Agent.Health;

/// <summary>Whether load balancers should send new connections to this node. Told by the reconcile loop, read by any thread.</summary>
/// <param name="needsNode">
/// With an API server a node that is not known does not exist, or nothing was listed yet. Manifests need not have a Node.
/// </param>
internal sealed class NodeEligibility(string name, bool needsNode, ILogger<NodeEligibility> logger)
{
    private volatile bool _isEligible = !needsNode;
    private volatile Problem? _missing;

    public bool IsEligible => _isEligible;

    /// <summary>A node under a wrong name forwards, and would look well.</summary>
    public IReadOnlyList<Problem> Problems => _missing is { } missing ? [missing] : [];

    public void Learn(Node? node)
    {
        _isEligible = node is null ? !needsNode : !node.IsGoing;
        bool isMissing = node is null && needsNode;
        if (isMissing == _missing is not null)
            return;

        _missing = isMissing ? Missing() : null;
        if (_missing is { } missing)
            logger.NodeMissing(missing.Message);
    }

    private Problem Missing() => new(
        $"Node/{name}",
        $"The API server has no node {name}, so /healthz says 503; and if that is not its name, every endpoint counts as one of another "
        + "node. Name it as the API does with --node-name, or see why the kubelet does not register it.");
}
