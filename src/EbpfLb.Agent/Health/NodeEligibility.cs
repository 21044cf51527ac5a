// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Agent.Health;

/// <summary>Whether load balancers should send new connections to this node. Told by the reconcile loop, read by any thread.</summary>
/// <param name="needsNode">
/// With an API server a node that is not known does not exist, or nothing was listed yet. Manifests need not have a Node.
/// </param>
internal sealed class NodeEligibility(bool needsNode)
{
    private volatile bool _isEligible = !needsNode;

    public bool IsEligible => _isEligible;

    public void Learn(Node? node) => _isEligible = node is null ? !needsNode : !node.IsGoing;
}
