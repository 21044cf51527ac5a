// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.LoadBalancing.Desired;

/// <summary>A service port asks for a frontend that no service gets, because it would take traffic that is meant for others.</summary>
/// <param name="Kind">What the address would be: a load balancer address or an external IP.</param>
/// <param name="Within">The network that holds the address; null when the address itself is the reason.</param>
public sealed record FrontendRefusal(
    ServicePortKey Key, FrontendAddress Frontend, FrontendKind Kind, RefusalCause Cause, AddressPrefix? Within = null);

/// <summary>Whose traffic it would take.</summary>
public enum RefusalCause
{
    ApiServer,
    Service,
    Pod,
    Node,

    /// <summary>What is reached at this port of every node: its shell, or its kubelet.</summary>
    NodeItself,
}
