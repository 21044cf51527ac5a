// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Net;
using System.Net.Sockets;
using EbpfLb.Kubernetes.Objects;

namespace EbpfLb.Scenarios.Tests.Differential;

/// <summary>
/// What kube-proxy would do with the objects, said as plainly as it can be, from the objects straight to the lines of
/// <see cref="MapReading"/>. Shares no code with what it judges, knows no state but the objects, and cares for no speed.
/// </summary>
internal static class ReferenceModel
{
    private const string ThisNode = Cluster.NodeName;

    private sealed record Candidate(
        string Owner, string PortName, string Protocol, int Family, DateTimeOffset Created, string Dial, int Port, string Kind)
    {
        public string Key => $"{(PortName.Length == 0 ? Owner : $"{Owner}:{PortName}")} {Protocol} v{Family}";
    }

    private sealed record Target(IPAddress Address, int Port, bool Ready, bool Leaving, bool Serves, bool Here, string[] Zones, string[] Nodes)
    {
        public string Text => $"{Address}|{Port}{(Here ? "@" : "")}{(Leaving ? "~" : "")}";
    }

    public static SortedSet<string> Expect(Cluster cluster)
    {
        var lines = new SortedSet<string>(StringComparer.Ordinal);
        // A CIDR that this node is in would cut it off.
        var own = NodeAddresses(cluster.Node);
        var cidrs = cluster.Cidrs.Values.SelectMany(static one => one.Cidrs!).Select(Network).OfType<IPNetwork>()
            .Where(cidr => cidr.PrefixLength > 0 && !own.Any(cidr.Contains)).ToList();
        IPNetwork[] others = [.. cidrs, .. PodNetworks(cluster.Node)];
        var wanted = cluster.Services.Values
            .SelectMany(service => Candidates(service).Where(one => !IsSomebodyElses(service.Spec!, one, others, own))).ToList();

        foreach (var port in wanted.GroupBy(static one => one.Key))
            lines.Add(ServiceLine(cluster, cluster.Services[port.First().Owner], [.. port]));

        // A ClusterIP is its own Service's. Else the oldest has a frontend; of the same age, the first by name. What one service port wants as several things is all of them.
        var frontends = (
            from one in wanted
            group one by (one.Dial, one.Port, one.Protocol) into claims
            let winner = claims.OrderBy(static one => one.Kind == "ClusterIP" ? 0 : 1)
                .ThenBy(static one => one.Created)
                .ThenBy(static one => one.Owner.Split('/')[0], StringComparer.Ordinal)
                .ThenBy(static one => one.Owner, StringComparer.Ordinal)
                .ThenBy(static one => one.PortName, StringComparer.Ordinal).First()
            let kinds = claims.Where(one => one.Key == winner.Key).Select(static one => one.Kind).ToHashSet()
            select (claims.Key.Dial, claims.Key.Port, claims.Key.Protocol, Kinds: kinds, winner.Key)).ToList();
        foreach (var one in frontends)
            lines.Add($"frontend {one.Dial} {one.Port} {one.Protocol} {Flags(one.Kinds)} of {one.Key}");

        foreach (var address in frontends.Where(static one => one.Dial is not ("0.0.0.0" or "::")).GroupBy(static one => one.Dial))
            lines.Add($"vip {address.Key} {(address.Any(static one => one.Kinds.Contains("ClusterIP")) ? "ClusterIP" : "None")}");

        var nodePorts = frontends.Where(static one => one.Dial is "0.0.0.0" or "::").Select(static one => one.Port).ToList();
        if (nodePorts.Count > 0)
            lines.Add($"node ports {nodePorts.Min()} {nodePorts.Max()}");

        foreach (var cidr in cidrs)
            lines.Add($"cidr {cidr}");
        return lines;
    }

    // Where kube-proxy differs: an address outside that would take the traffic of others is served to nobody.
    private static bool IsSomebodyElses(ServiceSpec spec, Candidate one, IPNetwork[] others, IPAddress[] node)
    {
        if (one.Kind is not ("LoadBalancer" or "ExternalIP"))
            return false;

        var address = IPAddress.Parse(one.Dial);
        if ((spec.ClusterIPs is { Count: > 0 } list ? list : [spec.ClusterIP!]).Select(Parse).Contains(address))
            return false;
        if (others.Any(network => network.Contains(address)))
            return true;
        return node.Contains(address) && (one.Kind == "ExternalIP" || one is { Protocol: "TCP", Port: 22 or 10250 or 10256 });
    }

    private static IEnumerable<Candidate> Candidates(ServiceObject service)
    {
        var (metadata, spec) = (service.Metadata!, service.Spec!);
        if (metadata.Labels!.ContainsKey("service.kubernetes.io/service-proxy-name") || spec.Type == "ExternalName")
            yield break;

        string[] texts = spec.ClusterIPs is { Count: > 0 } list ? [.. list] : string.IsNullOrEmpty(spec.ClusterIP) ? [] : [spec.ClusterIP];
        if (texts.Contains("None") || spec.ClusterIP == "None")
            yield break;

        string owner = $"{metadata.Namespace}/{metadata.Name}";
        var created = metadata.CreationTimestamp ?? DateTimeOffset.MaxValue;
        foreach (var clusterIP in texts.Select(Parse).OfType<IPAddress>().Where(static address => !IsSpecial(address)))
        {
            int family = Family(clusterIP);
            foreach (var (port, nodePort) in Ports(spec))
            {
                Candidate Dialled(string address, int number, string kind) =>
                    new(owner, port.Name ?? "", port.Protocol ?? "TCP", family, created, address, number, kind);

                yield return Dialled(clusterIP.ToString(), port.Port!.Value, "ClusterIP");
                if (nodePort != 0)
                    yield return Dialled(family == 4 ? "0.0.0.0" : "::", nodePort, "NodePort");
                foreach (var address in LoadBalancerIPs(service).Where(address => Family(address) == family))
                    yield return Dialled(address.ToString(), port.Port!.Value, "LoadBalancer");
                foreach (var address in Usable(spec.ExternalIPs ?? []).Where(address => Family(address) == family))
                    yield return Dialled(address.ToString(), port.Port!.Value, "ExternalIP");
            }
        }
    }

    // Ports that no API server lets through are left out; the generator makes no two of one name, and few of one number.
    private static IEnumerable<(ServicePortSpec Port, int NodePort)> Ports(ServiceSpec spec)
    {
        var numbers = new HashSet<(string, int)>();
        var nodePorts = new HashSet<(string, int)>();
        foreach (var port in spec.Ports!)
        {
            string protocol = port.Protocol ?? "TCP";
            if (protocol is not ("TCP" or "UDP" or "SCTP") || port.Port is null or < 1 or > 65535
                || !numbers.Add((protocol, port.Port.Value)))
                continue;

            int nodePort = spec.Type is "NodePort" or "LoadBalancer" && port.NodePort is > 0 and <= 65535 ? port.NodePort.Value : 0;
            yield return (port, nodePort != 0 && nodePorts.Add((protocol, nodePort)) ? nodePort : 0);
        }
    }

    private static string ServiceLine(Cluster cluster, ServiceObject service, List<Candidate> port)
    {
        var spec = service.Spec!;
        int family = port[0].Family;
        bool internalLocal = spec.InternalTrafficPolicy == "Local", externalLocal = spec.ExternalTrafficPolicy == "Local";
        bool outside = port.Exists(static one => one.Kind != "ClusterIP");
        var targets = Targets(cluster, port[0]);

        // The Cluster list: ready ones where the hints want them, or all that leave and still serve.
        List<Target> clusterList = [], localList = [];
        var ready = targets.Where(static one => one.Ready).ToList();
        if (!internalLocal || outside)
        {
            string? zone = cluster.Node?.Metadata!.Labels?.GetValueOrDefault("topology.kubernetes.io/zone");
            bool sameNode = ready.TrueForAll(static one => one.Nodes.Length > 0)
                && ready.Exists(static one => one.Nodes.Contains(ThisNode));
            bool sameZone = ready.TrueForAll(static one => one.Zones.Length > 0) && ready.Exists(one => one.Zones.Contains(zone));
            clusterList = ready.Count == 0 ? [.. targets.Where(static one => one.Leaving)]
                : [.. ready.Where(one => sameNode ? one.Nodes.Contains(ThisNode) : !sameZone || one.Zones.Contains(zone))];
        }

        if (internalLocal || (externalLocal && outside))
        {
            localList = ready.Exists(static one => one.Here) ? [.. ready.Where(static one => one.Here)]
                : [.. targets.Where(static one => one.Leaving && one.Here)];
        }

        string[] balanced = [.. port.Where(static one => one.Kind == "LoadBalancer").Select(static one => one.Dial)];
        var (ranges, pods, node) = SourceRanges(cluster, service, family, balanced);
        List<string> flags = [];
        if (internalLocal)
            flags.Add("InternalLocal");
        if (externalLocal)
            flags.Add("ExternalLocal");
        if (targets.Exists(static one => one.Ready || one.Leaving))
            flags.Add("HasEndpoints");
        if (ranges.Count > 0)
            flags.Add("SourceRanges");
        if (pods)
            flags.Add("AdmitsPods");
        if (node)
            flags.Add("AdmitsNode");

        int affinity = spec.SessionAffinity != "ClientIP" ? 0
            : spec.SessionAffinityTimeoutSeconds is > 0 and <= 86400 and int given ? given : 10800;
        // Flows of datagrams stay with an endpoint that serves, connections with one that is there, in a list or not.
        var keeping = targets.Where(one => port[0].Protocol == "TCP" || (port[0].Protocol == "UDP" && one.Serves))
            .Except(clusterList).Except(localList);
        return $"service {port[0].Key} cluster [{Join(clusterList)}] local [{Join(localList)}] keeps [{Join(keeping)}] affinity {affinity} "
            + $"flags {(flags.Count == 0 ? "None" : string.Join(", ", flags))} admits [{string.Join(' ', ranges)}]";
    }

    private static List<Target> Targets(Cluster cluster, Candidate port)
    {
        var copies =
            from slice in cluster.Slices.Values
            let labels = slice.Metadata!.Labels!
            where !labels.ContainsKey("service.kubernetes.io/headless") && slice.AddressType == $"IPv{port.Family}"
                && $"{slice.Metadata!.Namespace}/{labels.GetValueOrDefault("kubernetes.io/service-name")}" == port.Owner
            from number in slice.Ports!
            where (number.Name ?? "") == port.PortName && (number.Protocol ?? "TCP") == port.Protocol && number.Port is >= 1 and <= 65535
            from endpoint in slice.Endpoints!
            let address = Parse(endpoint.Addresses is [var first, ..] ? first : null)
            where address is not null && Family(address) == port.Family && !IsSpecial(address) && !IsLinkLocal(address)
            select (Key: (address, number.Port!.Value), Endpoint: endpoint);

        // A copy that does not terminate wins; beyond that the more useful one, then the one of the first slice.
        return
        [
            .. from copy in copies
               group copy by copy.Key into same
               let best = same.Select(static one => one.Endpoint)
                   .OrderBy(static one => one.Terminating ?? false).ThenByDescending(static one => one.Ready ?? true)
                   .ThenByDescending(static one => one.Serving ?? true).ThenByDescending(static one => one.NodeName == ThisNode).First()
               let ready = best.Ready ?? true
               select new Target(
                   same.Key.address, same.Key.Value, ready,
                   !ready && (best.Serving ?? true) && (best.Terminating ?? false), ready || (best.Serving ?? true),
                   best.NodeName == ThisNode, [.. best.ForZones ?? []], [.. best.ForNodes ?? []]),
        ];
    }

    private static (SortedSet<string> Ranges, bool Pods, bool Node) SourceRanges(
        Cluster cluster, ServiceObject service, int family, string[] addresses)
    {
        var ranges = new SortedSet<string>(StringComparer.Ordinal);
        IPNetwork[] all = [.. (service.Spec!.LoadBalancerSourceRanges ?? []).Select(Network).OfType<IPNetwork>()];
        IPNetwork[] own = [.. all.Where(range => Family(range.BaseAddress) == family)];
        if (addresses.Length == 0 || own.Length == 0 || own.Any(static range => range.PrefixLength == 0))
            return (ranges, false, false);

        IPNetwork[] pods = [.. PodNetworks(cluster.Node).Where(network => Family(network.BaseAddress) == family)];
        bool admitsPods = pods.Length > 0
            && pods.All(pod => own.Any(range => range.PrefixLength <= pod.PrefixLength && range.Contains(pod.BaseAddress)));
        bool admitsNode = NodeAddresses(cluster.Node).Any(address => own.Any(range => range.Contains(address)));
        ranges.UnionWith(own.Select(static range => range.ToString()));

        // What the node sends to an address that it has itself comes from that address.
        if (admitsNode)
            ranges.UnionWith(addresses.Select(address => $"{address}/{(family == 4 ? 32 : 128)}"));
        return (ranges, admitsPods, admitsNode);
    }

    private static IEnumerable<IPAddress> LoadBalancerIPs(ServiceObject service) => service.Spec!.Type != "LoadBalancer" ? [] : Usable(
        (service.LoadBalancerIngress ?? []).Where(static one => one.IPMode is null or "VIP").Select(static one => one.IP));

    private static IEnumerable<IPAddress> Usable(IEnumerable<string?> texts) =>
        texts.Select(Parse).OfType<IPAddress>().Where(static address => !IsSpecial(address) && !IsLinkLocal(address));

    private static IPAddress[] NodeAddresses(NodeObject? node) =>
    [
        .. (node?.Addresses ?? []).Where(static one => one.Type is "InternalIP" or "ExternalIP")
            .Select(static one => Parse(one.Address)).OfType<IPAddress>(),
    ];

    private static IEnumerable<IPNetwork> PodNetworks(NodeObject? node) =>
        (node?.PodCidrs is { Count: > 0 } several ? several : node?.PodCidr is { } one ? [one] : []).Select(Network).OfType<IPNetwork>();

    // Leading zeros are decimal, and there is no other way to write an address of IPv4.
    private static IPAddress? Parse(string? text)
    {
        if (text is null)
            return null;
        if (text.Contains('/', StringComparison.Ordinal))
            return null;
        if (text.Contains(':', StringComparison.Ordinal))
            return IPAddress.TryParse(text, out var six) && !six.IsIPv4MappedToIPv6 ? six : null;

        string[] parts = text.Split('.');
        return parts.Length == 4 && parts.All(static part => part.Length > 0 && part.All(char.IsAsciiDigit) && int.Parse(part) < 256)
            ? new IPAddress([.. parts.Select(byte.Parse)]) : null;
    }

    private static IPNetwork? Network(string text)
    {
        string[] parts = text.Trim().Split('/');
        if (parts.Length != 2 || Parse(parts[0]) is not { } address || !int.TryParse(parts[1], out int length))
            return null;

        byte[] bytes = address.GetAddressBytes();
        for (int bit = length; bit < bytes.Length * 8; bit++)
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        return new IPNetwork(new IPAddress(bytes), length);
    }

    private static int Family(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork ? 4 : 6;

    private static bool IsSpecial(IPAddress address) =>
        IPAddress.IsLoopback(address) || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)
        || address.Equals(IPAddress.Broadcast) || address.IsIPv6Multicast
        || (Family(address) == 4 && address.GetAddressBytes()[0] is >= 224 and < 240);

    private static bool IsLinkLocal(IPAddress address) =>
        address.IsIPv6LinkLocal || (Family(address) == 4 && address.GetAddressBytes() is [169, 254, ..]);

    private static string Flags(HashSet<string> kinds) =>
        string.Join(", ", new[] { "ClusterIP", "NodePort", "LoadBalancer", "ExternalIP" }.Where(kinds.Contains));

    private static string Join(IEnumerable<Target> targets) =>
        string.Join(' ', targets.Select(static one => one.Text).Order(StringComparer.Ordinal));
}
