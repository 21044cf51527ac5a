// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.State;

namespace EbpfLb.LoadBalancing.Desired;

/// <summary>The rules of the moment for addresses outside, the services they may concern, and what they refuse.</summary>
internal sealed class RefusedFrontends(DesiredStateOptions options)
{
    // Every service that asks for a load balancer address or an external IP.
    private readonly HashSet<ObjectName> _exposed = [];

    // Of those, the ones that do not get all of them.
    private readonly SortedDictionary<ObjectName, EquatableArray<FrontendRefusal>> _refused = [];
    private EquatableArray<FrontendRefusal> _told;

    public ExternalAddressRules Rules { get; private set; } = ExternalAddressRules.None;

    public IEnumerable<FrontendRefusal> Current => _refused.Values.SelectMany(static refusals => refusals);

    /// <returns>The services that may be judged otherwise from now on, when the rules are others.</returns>
    public ObjectName[] Judge(ClusterState state, NodeFacts facts, EquatableArray<AddressPrefix> serviceCidrs)
    {
        var rules = new ExternalAddressRules
        {
            AllowNodeAddresses = options.AllowNodeExternalIPs,
            NodeAddresses = facts.Addresses,
            PodCidrs = facts.PodCidrs,
            ServiceCidrs = serviceCidrs,
            ApiServers = ApiServers(state),
        };
        if (rules == Rules)
            return [];

        Rules = rules;
        return [.. _exposed];
    }

    /// <summary>Under the rules of the moment.</summary>
    public void Learn(ObjectName name, Service? service)
    {
        _refused.Remove(name);
        if (service is null or { LoadBalancerIPs.IsEmpty: true, ExternalIPs.IsEmpty: true })
        {
            _exposed.Remove(name);
            return;
        }

        _exposed.Add(name);
        if (ServiceFrontends.RefusedOf(service, Rules) is { IsEmpty: false } refusals)
            _refused[name] = refusals;
    }

    /// <returns>All of them, ordered by service; null when they are as at the last call.</returns>
    public IReadOnlyList<FrontendRefusal>? TakeChanges()
    {
        var current = Current.ToEquatableArray();
        if (current == _told)
            return null;

        _told = current;
        return [.. current];
    }

    private EquatableArray<ApiServerEndpoint> ApiServers(ClusterState state)
    {
        var servers = new SortedSet<ApiServerEndpoint>(options.ApiServers);
        foreach (var slice in state.SlicesOf(DesiredState.ApiService))
        {
            foreach (var endpoint in slice.Endpoints)
                servers.UnionWith(slice.Ports.Select(port => new ApiServerEndpoint(endpoint.Address, port.Port)));
        }

        return servers.ToEquatableArray();
    }
}
