// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Desired;

namespace EbpfLb.Agent;

/// <summary>Why a service does not get an address outside, and what to do.</summary>
internal static class RefusalText
{
    public static string Describe(FrontendRefusal refusal)
    {
        string kind = refusal.Kind == FrontendKind.ExternalIP ? "as an external IP" : "as a load balancer address";
        return $"{refusal.Key.DisplayName} does not get frontend {refusal.Frontend} {kind}: {Reason(refusal)}";
    }

    private static string Reason(FrontendRefusal refusal)
    {
        var address = refusal.Frontend.Address;
        return refusal.Cause switch
        {
            RefusalCause.ApiServer =>
                $"{address} is an API server's address, and what is sent there must reach it. Give the Service another address.",
            RefusalCause.Service =>
                $"{address} is of the service CIDR {refusal.Within}, whose addresses are given to Services as cluster IPs only. "
                + "Give the Service an address outside of it.",
            RefusalCause.Pod =>
                $"{address} is of {refusal.Within}, the addresses of this node's pods. Give the Service an address outside of it.",
            RefusalCause.Node =>
                $"{address} is this node's own, and what is sent there must reach the node. Use a NodePort or a load balancer, "
                + "give the Service another address, or let the agent serve such external IPs with --allow-node-external-ips.",
            _ =>
                $"{address} is a node's own, and port {refusal.Frontend.Port} of it is for the node itself (22, 10250 and 10256 are). "
                + "Use another port, or let the agent serve it with --allow-node-external-ips.",
        };
    }
}
