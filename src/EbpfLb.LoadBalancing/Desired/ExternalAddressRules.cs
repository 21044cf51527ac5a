// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.LoadBalancing.Desired;

/// <summary>
/// Which load balancer addresses and external IPs no service gets. Whoever may create a Service may write its external IPs, and would
/// receive what pods and this node send to such an address. Load balancer addresses stand in the status, which takes a right of its own;
/// some load balancers write the addresses of nodes there, so these are served but where the node itself is reached.
/// </summary>
internal sealed record ExternalAddressRules
{
    private const ushort Ssh = 22;
    private const ushort Kubelet = 10250;
    private const ushort Healthz = 10256;

    public static ExternalAddressRules None { get; } = new();

    public bool AllowNodeAddresses { get; init; }

    public EquatableArray<Address> NodeAddresses { get; init; }

    public EquatableArray<AddressPrefix> PodCidrs { get; init; }

    public EquatableArray<AddressPrefix> ServiceCidrs { get; init; }

    /// <summary>Ordered, so that the same ones are equal.</summary>
    public EquatableArray<ApiServerEndpoint> ApiServers { get; init; }

    /// <param name="kind">Load balancer address or external IP.</param>
    /// <param name="own">The service's own cluster IPs: to its clients it is no difference what else they are.</param>
    public FrontendRefusal? Find(ServicePortKey key, FrontendAddress frontend, FrontendKind kind, EquatableArray<Address> own)
    {
        if (own.Contains(frontend.Address))
            return null;

        var (cause, within) = Judge(frontend, kind == FrontendKind.ExternalIP);
        return cause is { } found ? new FrontendRefusal(key, frontend, kind, found, within) : null;
    }

    private (RefusalCause? Cause, AddressPrefix? Within) Judge(FrontendAddress frontend, bool isExternalIP)
    {
        // The node of an API server is a node, though another one, and the only other one that is known here.
        bool isApiServers = false, isNodes = NodeAddresses.Contains(frontend.Address);
        foreach (var server in ApiServers)
        {
            if (server.Address != frontend.Address)
                continue;
            if (frontend.Protocol == Protocol.Tcp && frontend.Port == server.Port)
                return (RefusalCause.ApiServer, null);

            isApiServers = true;
        }

        if (Holder(ServiceCidrs, frontend.Address) is { } serviceCidr)
            return (RefusalCause.Service, serviceCidr);
        if (Holder(PodCidrs, frontend.Address) is { } podCidr)
            return (RefusalCause.Pod, podCidr);
        if (AllowNodeAddresses || !(isNodes || isApiServers))
            return default;
        if (isExternalIP)
            return (isNodes ? RefusalCause.Node : RefusalCause.ApiServer, null);
        return frontend is { Protocol: Protocol.Tcp, Port: Ssh or Kubelet or Healthz } ? (RefusalCause.NodeItself, null) : default;
    }

    private static AddressPrefix? Holder(EquatableArray<AddressPrefix> networks, Address address)
    {
        foreach (var network in networks)
        {
            if (network.Contains(address))
                return network;
        }

        return null;
    }
}
