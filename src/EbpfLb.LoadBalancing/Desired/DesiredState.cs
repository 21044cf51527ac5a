// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Maglev;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.Selection;
using EbpfLb.LoadBalancing.State;

namespace EbpfLb.LoadBalancing.Desired;

/// <summary>
/// What the datapath of this node should hold, kept up to date service by service. Depends on the last state only: any sequence of
/// updates that ends in one state ends in the same result, but for <see cref="Kept"/>. One thread at a time.
/// </summary>
public sealed class DesiredState
{
    private readonly DesiredStateOptions _options;
    private readonly EndpointSelector _selector;
    private readonly FrontendClaims _claims = new();
    private readonly ApiServiceGuard _guard = new();
    private readonly RefusedFrontends _refused;

    // The record each service's claims were made from.
    private readonly Dictionary<ObjectName, Service> _known = [];
    private readonly Dictionary<ObjectName, DesiredService> _services = [];

    // Of _known: those that what is known of the node makes a difference to.
    private readonly HashSet<ObjectName> _restricted = [];
    private EquatableArray<AddressPrefix> _serviceCidrs;
    private EquatableArray<ServiceCidrConflict> _cidrConflicts;
    private EquatableArray<KeptBackends> _kept;
    private NodeFacts _facts = NodeFacts.None;
    private volatile NodeFacts _ownFacts = NodeFacts.None;

    public DesiredState(DesiredStateOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Maglev.Validate() is { Count: > 0 } errors)
            throw new ArgumentException(string.Join(" ", errors), nameof(options));

        _options = options;
        _selector = new EndpointSelector(options.NodeName);
        _refused = new RefusedFrontends(options);
    }

    /// <summary>Every service there is, those without endpoints or frontends included. Changes with the next update.</summary>
    public IReadOnlyDictionary<ObjectName, DesiredService> Services => _services;

    public IReadOnlyList<FrontendConflict> Conflicts => _claims.Conflicts;

    /// <summary>What services ask for and nobody gets; ordered by service.</summary>
    public IReadOnlyList<FrontendRefusal> Refusals => [.. _refused.Current];

    /// <summary>Service CIDRs that are not desired for now; ordered.</summary>
    public IReadOnlyList<ServiceCidrConflict> ServiceCidrConflicts => [.. _cidrConflicts];

    /// <summary>The Service that leads to the API server, and never becomes empty through us.</summary>
    public static ObjectName ApiService => ApiServiceGuard.ServiceName;

    /// <summary>What default/kubernetes keeps although the state has no endpoint of it; ordered.</summary>
    public IReadOnlyList<KeptBackends> Kept => [.. _kept];

    /// <summary>
    /// What the agent sees of the node itself; what the Node object says is added to it. Any thread may set it. Counts from the next
    /// update on, which may be one without changes.
    /// </summary>
    public NodeFacts NodeFacts
    {
        get => _ownFacts;
        set => _ownFacts = value ?? throw new ArgumentNullException(nameof(value));
    }

    /// <summary>
    /// Before the first update: what an earlier run left programmed for default/kubernetes, so that this run keeps it too when the first
    /// list has no endpoint of it. A Service that the first list does not have is gone all the same: no frontend leads to it any more.
    /// </summary>
    public void Recall(ServicePortKey key, EquatableArray<Backend> backends) => _guard.Recall(key, backends);

    /// <param name="state">The newest.</param>
    /// <param name="dirty">At least the services that differ from those of the last update, in any order.</param>
    public DesiredChanges Update(ClusterState state, IEnumerable<ObjectName> dirty)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(dirty);

        var node = state.Node is { } known && known.Name == _options.NodeName ? known : null;
        var facts = _ownFacts.And(node);
        var (serviceCidrs, cidrConflicts) = Divide(state.ServiceCidrs, facts);

        // All claims first: who has a frontend is known only when everybody has spoken.
        var outdated = new HashSet<ObjectName>();
        Rejudge(state, facts, serviceCidrs, outdated);
        foreach (var name in dirty.Distinct())
        {
            Learn(name, state.FindService(name));
            outdated.Add(name);
        }

        var settlement = _claims.Settle();
        outdated.UnionWith(settlement.Affected);
        if (facts != _facts)
            outdated.UnionWith(_restricted);
        _facts = facts;

        string? zone = node?.Zone;
        List<DesiredService> upserted = [];
        List<ObjectName> removed = [];
        foreach (var name in outdated)
        {
            if (!_known.TryGetValue(name, out var service))
            {
                if (_services.Remove(name))
                    removed.Add(name);
                continue;
            }

            var desired = Build(service, state.SlicesOf(name), zone);
            if (_services.TryGetValue(name, out var previous) && previous == desired)
                continue;

            _services[name] = desired;
            upserted.Add(desired);
        }

        upserted.Sort(static (left, right) => left.Name.CompareTo(right.Name));
        removed.Sort();
        bool sameCidrs = serviceCidrs == _serviceCidrs, sameConflicts = cidrConflicts == _cidrConflicts, sameKept = _guard.Kept == _kept;
        (_serviceCidrs, _cidrConflicts, _kept) = (serviceCidrs, cidrConflicts, _guard.Kept);
        return new DesiredChanges(upserted, removed, settlement.Appeared, settlement.Resolved)
        {
            ServiceCidrs = sameCidrs ? null : serviceCidrs,
            ServiceCidrsArePartial = state.ServiceCidrsArePartial,
            ServiceCidrConflicts = sameConflicts ? null : ServiceCidrConflicts,
            Kept = sameKept ? null : Kept,
            Refusals = _refused.TakeChanges(),
        };
    }

    private static (EquatableArray<AddressPrefix> Desired, EquatableArray<ServiceCidrConflict> Conflicts) Divide(
        EquatableArray<AddressPrefix> cidrs, NodeFacts facts)
    {
        List<AddressPrefix> desired = [];
        List<ServiceCidrConflict> conflicts = [];
        foreach (var cidr in cidrs)
        {
            var own = facts.Addresses.Where(cidr.Contains).Take(1).ToArray();
            if (own.Length == 0)
                desired.Add(cidr);
            else
                conflicts.Add(new ServiceCidrConflict(cidr, own[0]));
        }

        return (desired.ToEquatableArray(), conflicts.ToEquatableArray());
    }

    // Claims are made under the rules of the moment, so those made under other ones are made again.
    private void Rejudge(ClusterState state, NodeFacts facts, EquatableArray<AddressPrefix> serviceCidrs, HashSet<ObjectName> outdated)
    {
        var before = _refused.Rules;
        foreach (var name in _refused.Judge(state, facts, serviceCidrs))
        {
            _claims.Replace(_known[name], before, _known[name], _refused.Rules);
            _refused.Learn(name, _known[name]);
            outdated.Add(name);
        }
    }

    private void Learn(ObjectName name, Service? current)
    {
        var previous = _known.GetValueOrDefault(name);
        current = _guard.Hold(name, previous, current);
        if (previous != current)
            _claims.Replace(previous, _refused.Rules, current, _refused.Rules);
        _refused.Learn(name, current);

        if (current is null or { LoadBalancerSourceRanges.IsEmpty: true })
            _restricted.Remove(name);
        else
            _restricted.Add(name);

        if (current is null)
            _known.Remove(name);
        else
            _known[name] = current;
    }

    private DesiredService Build(Service service, ReadOnlySpan<EndpointSlice> slices, string? zone)
    {
        ReadOnlySpan<(ServicePortKey Key, Frontend Frontend)> claimed = ServiceFrontends.Of(service, _refused.Rules);
        var ports = new List<DesiredPort>();
        _guard.Begin(service.Name);
        while (!claimed.IsEmpty)
        {
            int count = 1;
            while (count < claimed.Length && claimed[count].Key == claimed[0].Key)
                count++;

            ports.Add(BuildPort(service, claimed[..count], slices, zone));
            claimed = claimed[count..];
        }

        return new DesiredService(service.Name, ports.ToEquatableArray());
    }

    private DesiredPort BuildPort(
        Service service,
        ReadOnlySpan<(ServicePortKey Key, Frontend Frontend)> claimed,
        ReadOnlySpan<EndpointSlice> slices,
        string? zone)
    {
        var key = claimed[0].Key;
        var held = new List<Frontend>(claimed.Length);
        var balanced = new List<Address>();
        bool external = false;
        foreach (var (_, frontend) in claimed)
        {
            external |= frontend.Kind.IsExternal();
            if (frontend.Kind.HasFlag(FrontendKind.LoadBalancer))
                balanced.Add(frontend.Key.Address);
            if (_claims.IsHeldBy(frontend.Key, key))
                held.Add(frontend);
        }

        var scope = new TrafficScope(service.InternalTrafficPolicy, service.ExternalTrafficPolicy, external);
        var selection = _guard.Hold(key, _selector.Select(slices, key.PortName, key.Protocol, key.Family, scope, zone));
        var ranges = SourceRanges.Of(service, key.Family, balanced, _facts);
        var algorithm = service.Algorithm ?? _options.DefaultAlgorithm ?? (external ? Algorithm.Maglev : Algorithm.Random);
        bool tooSmall = false;
        return new DesiredPort
        {
            Key = key,
            Frontends = held.ToEquatableArray(),
            Backends = selection.Backends,
            HasEndpoints = selection.HasEndpoints,
            AffinityTimeoutSeconds = service.AffinityTimeoutSeconds,
            InternalTrafficPolicy = service.InternalTrafficPolicy,
            ExternalTrafficPolicy = service.ExternalTrafficPolicy,
            SourceRanges = ranges.Prefixes,
            AdmitsPods = ranges.AdmitPods,
            AdmitsNode = ranges.AdmitNode,
            Algorithm = algorithm,
            MaglevTableSize = algorithm == Algorithm.Maglev ? TableSizeFor(service, selection.Backends, out tooSmall) : 0,
            MaglevTableTooSmall = tooSmall,
        };
    }

    private int TableSizeFor(Service service, EquatableArray<Backend> backends, out bool tooSmall)
    {
        int cluster = 0, local = 0;
        foreach (var backend in backends)
        {
            cluster += backend.Flags.HasFlag(BackendFlags.InCluster) ? 1 : 0;
            local += backend.Flags.HasFlag(BackendFlags.InLocal) ? 1 : 0;
        }

        tooSmall = false;
        int configured = MaglevSize.IsAllowed(service.MaglevTableSize) ? service.MaglevTableSize : _options.Maglev.TableSize;
        int listed = Math.Max(cluster, local);
        return listed == 0 ? 0 : MaglevSize.Resolve(configured, listed, out tooSmall);
    }
}
