// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Kubernetes.Objects;

namespace EbpfLb.Scenarios.Tests.Differential;

/// <summary>
/// One step of a cluster's life, made of a number and of what is there: objects come, change in one respect, go, and come again as
/// others. The world is small on purpose, so that they collide; and a few values are wrong, as only a broken server lets them be.
/// </summary>
internal sealed class RandomEvents(Cluster cluster, int seed)
{
    private static readonly string[] ServiceNames = ["a/api", "a/web", "b/api", "b/web"];
    private static readonly string[] SliceNames = ["a/s1", "a/s2", "a/s3", "b/s1", "b/s2", "b/s3"];
    private static readonly string[] Zones = ["za", "zb"];
    private static readonly string[] Nodes = [Cluster.NodeName, "n2", "n3"];
    private static readonly string[] Outside = ["198.51.100.1", "198.51.100.2", "198.51.100.3", "2001:db8::1", "2001:db8::2"];
    private static readonly string[] WrongOutside = ["127.0.0.1", "169.254.169.254", "abc", "", "::ffff:198.51.100.1", "198.51.100.1/32"];

    private static readonly string[] Ranges =
    [
        "192.0.2.0/28", " 192.0.2.0/24", "10.10.0.0/16", "10.244.0.0/16", "10.244.0.0/25", "198.51.100.1/32", "nonsense", "192.0.2.1",
        "2001:db8:1::/48", "fd00:10::/32", "2001:db8::/32", "fd00:10:244::/64",
    ];

    private static readonly string[] Cidrs = ["10.96.0.0/16", "10.96.0.0/24", "fd00:10:96::/112", "10.10.0.0/16", "0.0.0.0/0", "abc"];
    private readonly Random _random = new(seed);

    /// <summary>The names of services and slices that are to be told as deleted although they are there again.</summary>
    public HashSet<string> Recreated { get; } = new(StringComparer.Ordinal);

    /// <returns>What happened, for people.</returns>
    public string Happen()
    {
        switch (_random.Next(20))
        {
            case < 3:
                return Replace(Pick(ServiceNames), Service());
            case < 7:
                return ChangeService();
            case 7:
                string gone = Pick(ServiceNames);
                cluster.Services.Remove(gone);
                return $"service {gone} deleted";
            case 8:
                string again = Pick(ServiceNames);
                Recreated.Add("service " + again);
                return "deleted and " + Replace(again, Service());
            case < 12:
                return Replace(Pick(SliceNames), Slice());
            case < 16:
                return ChangeSlice();
            case 16:
                string lost = Pick(SliceNames);
                cluster.Slices.Remove(lost);
                return $"slice {lost} deleted";
            case 17:
            case 18 when cluster.Node is null:
                cluster.Node = OneIn(8) ? null : Node();
                return cluster.Node is null ? "node deleted" : $"node {Zone(cluster.Node)}";
            case 18:
                cluster.Node = With(cluster.Node, zone: OneIn(4) ? null : Pick(Zones));
                return $"node moves: {Zone(cluster.Node)}";
            default:
                string name = OneIn(2) ? "kubernetes" : "more";
                if (OneIn(3))
                    cluster.Cidrs.Remove(name);
                else
                    cluster.Cidrs[name] = new() { Metadata = new() { Name = name }, Cidrs = Many(1, 2, () => Pick(Cidrs)) };
                return $"service CIDR {name}";
        }
    }

    private string Replace(string name, ServiceObject service)
    {
        cluster.Services[name] = Named(service, name);
        return $"service {name}";
    }

    private string Replace(string name, EndpointSliceObject slice)
    {
        cluster.Slices[name] = new EndpointSliceObject
        {
            Metadata = new ObjectMeta { Namespace = name[..1], Name = name[2..], Labels = slice.Metadata!.Labels },
            AddressType = slice.AddressType,
            Ports = slice.Ports,
            Endpoints = slice.Endpoints,
        };
        return $"slice {name} of {slice.Metadata.Labels!.GetValueOrDefault(WellKnown.ServiceNameLabel)}";
    }

    private static ServiceObject Named(ServiceObject service, string name) => new()
    {
        Metadata = new ObjectMeta
        {
            Namespace = name[..1],
            Name = name[2..],
            Uid = service.Metadata!.Uid,
            CreationTimestamp = service.Metadata.CreationTimestamp,
            Labels = service.Metadata.Labels,
        },
        Spec = service.Spec,
        LoadBalancerIngress = service.LoadBalancerIngress,
    };

    // One aspect of a service becomes that of another random one; the rest stays.
    private string ChangeService()
    {
        string name = Pick(ServiceNames);
        if (!cluster.Services.TryGetValue(name, out var old))
            return Replace(name, Service());

        var fresh = Service();
        int aspect = _random.Next(8);
        var (from, to) = (old.Spec!, fresh.Spec!);
        bool type = aspect == 0, ports = aspect == 1, policies = aspect == 2;
        bool affinity = aspect == 3, ranges = aspect == 4, addresses = aspect == 5;
        var spec = new ServiceSpec
        {
            Type = type ? to.Type : from.Type,
            ClusterIP = addresses ? to.ClusterIP : from.ClusterIP,
            ClusterIPs = addresses ? to.ClusterIPs : from.ClusterIPs,
            ExternalIPs = addresses ? to.ExternalIPs : from.ExternalIPs,
            LoadBalancerSourceRanges = ranges ? to.LoadBalancerSourceRanges : from.LoadBalancerSourceRanges,
            Ports = ports ? to.Ports : from.Ports,
            SessionAffinity = affinity ? to.SessionAffinity : from.SessionAffinity,
            SessionAffinityTimeoutSeconds = affinity ? to.SessionAffinityTimeoutSeconds : from.SessionAffinityTimeoutSeconds,
            InternalTrafficPolicy = policies ? to.InternalTrafficPolicy : from.InternalTrafficPolicy,
            ExternalTrafficPolicy = policies ? to.ExternalTrafficPolicy : from.ExternalTrafficPolicy,
        };
        var metadata = new ObjectMeta
        {
            Uid = old.Metadata!.Uid,
            CreationTimestamp = old.Metadata.CreationTimestamp,
            Labels = aspect == 6 ? fresh.Metadata!.Labels : old.Metadata.Labels,
        };
        Replace(name, new ServiceObject
        {
            Metadata = metadata,
            Spec = spec,
            LoadBalancerIngress = aspect == 7 ? fresh.LoadBalancerIngress : old.LoadBalancerIngress,
        });
        string[] aspects = ["type", "ports", "policies", "affinity", "source ranges", "addresses", "labels", "load balancer"];
        return $"service {name}: other {aspects[aspect]}";
    }

    private string ChangeSlice()
    {
        string name = Pick(SliceNames);
        if (!cluster.Slices.TryGetValue(name, out var old) || old.Endpoints!.Count == 0)
            return Replace(name, Slice());

        var (endpoints, labels, ports) = (old.Endpoints.ToList(), old.Metadata!.Labels, old.Ports);
        int index = _random.Next(endpoints.Count);
        string what;
        switch (_random.Next(7))
        {
            case 0:
                endpoints[index] = Endpoint(old.AddressType!);
                what = "another endpoint";
                break;
            case 1:
                endpoints[index] = With(endpoints[index], ready: false, serving: !OneIn(4), terminating: true);
                what = "an endpoint terminates";
                break;
            case 2:
                endpoints[index] = With(endpoints[index], ready: OneIn(2), serving: OneIn(2), terminating: null);
                what = "readiness flips";
                break;
            case 3:
                endpoints.RemoveAt(index);
                what = "an endpoint goes";
                break;
            case 4:
                endpoints.Add(Endpoint(old.AddressType!));
                what = "an endpoint comes";
                break;
            case 5:
                labels = Labels();
                what = "other labels";
                break;
            default:
                ports = SlicePorts();
                what = "other ports";
                break;
        }

        Replace(name, new EndpointSliceObject
        {
            Metadata = new ObjectMeta { Labels = labels },
            AddressType = old.AddressType,
            Ports = ports,
            Endpoints = endpoints,
        });
        return $"slice {name}: {what}";
    }

    private ServiceObject Service()
    {
        string? type = OneIn(12) ? "ExternalName"
            : Pick("ClusterIP", "NodePort", "LoadBalancer", "LoadBalancer", "LoadBalancer", null);
        string four = OneIn(15) ? Pick("10.96.000.00" + _random.Next(1, 4), "abc", "224.0.0.1", "10.96.0.1/32")
            : $"10.96.0.{_random.Next(1, 4)}";
        string six = $"fd00:10:96::{_random.Next(1, 3)}";
        string[] clusterIPs = _random.Next(20) switch
        {
            0 => ["None"],
            1 => [],
            < 6 => [six],
            < 13 => [four],
            < 16 => [six, four],
            _ => [four, six],
        };
        return new ServiceObject
        {
            Metadata = new ObjectMeta
            {
                Uid = $"{_random.Next():x}",
                CreationTimestamp = OneIn(5) ? null : DateTimeOffset.UnixEpoch.AddDays(_random.Next(3)),
                Labels = OneIn(10) ? new() { [WellKnown.ServiceProxyNameLabel] = "other" }
                    : OneIn(10) ? new() { [WellKnown.HeadlessLabel] = "" } : new Dictionary<string, string>(),
            },
            Spec = new ServiceSpec
            {
                Type = type,
                ClusterIP = clusterIPs.FirstOrDefault(""),
                ClusterIPs = OneIn(6) ? null : clusterIPs,
                ExternalIPs = OneIn(3) ? Many(1, 2, OutsideAddress) : null,
                LoadBalancerSourceRanges = OneIn(2) ? Many(1, 3, () => OneIn(20) ? Pick("0.0.0.0/0", "::/0") : Pick(Ranges)) : null,
                Ports = ServicePorts(),
                SessionAffinity = Pick(null, "None", "ClientIP", "Foo"),
                SessionAffinityTimeoutSeconds = Pick<int?>(null, 60, 0),
                InternalTrafficPolicy = Pick(null, "Cluster", "Local"),
                ExternalTrafficPolicy = Pick(null, "Cluster", "Local"),
            },
            LoadBalancerIngress = OneIn(4) ? null : Many(1, 2, () => new LoadBalancerIngress
            {
                IP = OneIn(6) ? null : OutsideAddress(),
                IPMode = OneIn(6) ? Pick("Proxy", "Foo") : Pick(null, "VIP"),
            }),
        };
    }

    private ServicePortSpec[] ServicePorts()
    {
        if (OneIn(3))
            return [new ServicePortSpec { Name = Pick(null, "http"), Protocol = Protocol("http"), Port = Port(), NodePort = NodePort(0) }];

        string[] names = ["http", "dns", "more"];
        return [.. names.Take(_random.Next(0, 4)).Select((name, index) => new ServicePortSpec
        {
            Name = name,
            Protocol = Protocol(name),
            Port = OneIn(15) ? Port() : 80 + index,
            NodePort = NodePort(index),
        })];
    }

    private int? Port() => OneIn(10) ? Pick<int?>(null, 0, -1, 65536, int.MinValue) : 80;

    private int? NodePort(int index) => OneIn(3) ? null : OneIn(12) ? Pick(-1, 65536) : 30080 + (index * 2) + _random.Next(2);

    // Mostly that of the name, or service ports and slices would seldom meet.
    private string? Protocol(string? name) => OneIn(10) ? Pick(null, "TCP", "UDP", "QUIC") : name switch
    {
        "dns" => "UDP",
        "more" => "SCTP",
        _ => OneIn(2) ? "TCP" : null,
    };

    private string OutsideAddress() => OneIn(10) ? Pick(WrongOutside) : OneIn(12) ? "10.96.0.1" : Pick(Outside);

    private EndpointSliceObject Slice()
    {
        string type = OneIn(12) ? "FQDN" : OneIn(3) ? "IPv6" : "IPv4";
        return new EndpointSliceObject
        {
            Metadata = new ObjectMeta { Labels = Labels() },
            AddressType = type,
            Ports = SlicePorts(),
            Endpoints = OneIn(3) ? Many(1, 4, () => With(Endpoint(type), ready: false, serving: !OneIn(4), terminating: !OneIn(4)))
                : Many(0, 4, () => Endpoint(type)),
        };
    }

    private Dictionary<string, string> Labels()
    {
        var labels = new Dictionary<string, string>();
        if (!OneIn(15))
            labels[WellKnown.ServiceNameLabel] = Pick("web", "web", "web", "web", "api", "api", "api", "none");
        if (OneIn(10))
            labels[WellKnown.HeadlessLabel] = "";
        return labels;
    }

    private SlicePortSpec[] SlicePorts()
    {
        string?[] names = OneIn(6) ? [null] : ["http", "dns", "more"];
        return [.. names.Select(name => new SlicePortSpec
        {
            Name = name,
            Protocol = Protocol(name),
            Port = OneIn(12) ? Pick<int?>(null, 0, 65536) : 8080 + _random.Next(2),
        })];
    }

    private EndpointSpec Endpoint(string type)
    {
        string address = type switch
        {
            "IPv4" => OneIn(15) ? Pick("127.0.0.1", "169.254.1.1", "0.0.0.0", "fd00::1", "x") : $"10.244.0.{_random.Next(1, 6)}",
            "IPv6" => OneIn(15) ? Pick("::1", "fe80::1", "10.244.0.1", "::ffff:10.244.0.1") : $"fd00:10:244::{_random.Next(1, 5)}",
            _ => "web.example.com",
        };
        bool hinted = _random.Next(3) != 0;
        return new EndpointSpec
        {
            Addresses = OneIn(20) ? [] : OneIn(8) ? [address, "10.244.9.9"] : [address],
            Ready = Pick<bool?>(null, true, true, true, false),
            Serving = Pick<bool?>(null, null, true, false),
            Terminating = Pick<bool?>(null, false, false, true),
            NodeName = OneIn(6) ? null : Pick(Nodes),
            ForZones = hinted ? Many(1, 2, () => Pick(Zones)) : null,
            ForNodes = hinted && OneIn(2) ? Many(1, 2, () => Pick(Nodes)) : null,
        };
    }

    private static EndpointSpec With(EndpointSpec endpoint, bool? ready, bool? serving, bool? terminating) => new()
    {
        Addresses = endpoint.Addresses,
        Ready = ready,
        Serving = serving,
        Terminating = terminating,
        NodeName = endpoint.NodeName,
        ForZones = endpoint.ForZones,
        ForNodes = endpoint.ForNodes,
    };

    private NodeObject Node() => With(
        new NodeObject
        {
            PodCidrs = OneIn(3) ? null
                : Pick<string[]>(["10.244.0.0/24"], ["10.244.0.0/24", "fd00:10:244::/64"], ["192.0.2.0/29"], []),
            PodCidr = OneIn(2) ? null : "10.244.0.0/24",
            Addresses =
            [
                new NodeAddress { Type = "Hostname", Address = "10.96.0.9" },
                .. Many(0, 2, () => new NodeAddress
                {
                    Type = Pick("InternalIP", "ExternalIP"),
                    Address = Pick("10.10.0.1", "192.0.2.1", "2001:db8:1::1", "198.51.100.1", "x"),
                }),
            ],
        },
        OneIn(4) ? null : Pick(Zones));

    private static NodeObject With(NodeObject node, string? zone) => new()
    {
        Metadata = new ObjectMeta
        {
            Name = Cluster.NodeName,
            Labels = zone is null ? null : new Dictionary<string, string> { [WellKnown.ZoneLabel] = zone },
        },
        PodCidr = node.PodCidr,
        PodCidrs = node.PodCidrs,
        Addresses = node.Addresses,
    };

    private static string Zone(NodeObject node) => node.Metadata!.Labels?.GetValueOrDefault(WellKnown.ZoneLabel) ?? "in no zone";

    private bool OneIn(int n) => _random.Next(n) == 0;

    private T Pick<T>(params T[] choices) => choices[_random.Next(choices.Length)];

    private T[] Many<T>(int least, int most, Func<T> make) => [.. Enumerable.Range(0, _random.Next(least, most + 1)).Select(_ => make())];
}
