// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
namespace EbpfLb.Live.Tests.Support;

/// <summary>A service that is reachable from outside. Every kind of address it has comes in both families.</summary>
internal sealed record OuterService(OuterNode Node, int Number)
{
    /// <summary>Of its ClusterIP, load balancer address and external IP, TCP and UDP.</summary>
    public const int Port = 80;

    public string Name => $"o{Number}";

    public string Type { get; init; } = "LoadBalancer";

    /// <summary>Further lines of its spec.</summary>
    public string Spec { get; init; } = "";

    public string Algorithm { get; init; } = "";

    /// <summary>Of the load balancer's addresses; empty: none is given.</summary>
    public string IpMode { get; init; } = "";

    public bool HasExternalIPs { get; init; }

    /// <summary>0: none.</summary>
    public int NodePort { get; init; } = 30000 + 2 * Number;

    /// <summary>Where its endpoints listen.</summary>
    public int TargetPort { get; init; } = LiveService.TargetPort;

    /// <summary>Null: addresses of its own.</summary>
    public string[]? LoadBalancerIPs { get; init; }

    private bool IsLoadBalancer => Type == "LoadBalancer";

    public Target ClusterIP(bool v6 = false) => new("ClusterIP", v6 ? $"fd00:10:96::a:{Number:x}" : $"10.96.10.{Number}", Port, Port);

    public Target LoadBalancer(bool v6 = false) =>
        new("load balancer", LoadBalancerIPs?[v6 ? 1 : 0] ?? (v6 ? $"2001:db8:113::{Number:x}" : $"203.0.113.{Number}"), Port, Port);

    public Target ExternalIP(bool v6 = false) =>
        new("external IP", v6 ? $"2001:db8:113::e:{Number:x}" : $"203.0.113.{100 + Number}", Port, Port);

    /// <summary>At n1, unless another address is asked for.</summary>
    public Target AtNodePort(bool v6 = false) => new("NodePort", v6 ? OuterNode.FirstV6 : OuterNode.FirstV4, NodePort, NodePort + 1);

    public Target AtNodePort(string address) => AtNodePort().At(address);

    /// <summary>What it has, by its type; NodePorts at n1.</summary>
    public IEnumerable<Target> Targets()
    {
        foreach (bool v6 in new[] { false, true })
        {
            yield return ClusterIP(v6);
            if (NodePort != 0 && Type != "ClusterIP")
                yield return AtNodePort(v6);
            if (IsLoadBalancer)
                yield return LoadBalancer(v6);
            if (HasExternalIPs)
                yield return ExternalIP(v6);
        }
    }

    /// <summary>Those for clients outside.</summary>
    public IEnumerable<Target> OuterTargets() => Targets().Where(target => target.Kind != "ClusterIP");

    public bool Owns(string name) => name.StartsWith($"live/{Name}:", StringComparison.Ordinal);

    public Task PublishAsync(params IReadOnlyCollection<Endpoint> endpoints) =>
        Node.SyncAsync(() => Node.Manifests.Write($"{Name}.yaml", Text(endpoints)));

    public Task DeleteAsync() => Node.SyncAsync(() => Node.Manifests.Delete($"{Name}.yaml"));

    public string Text(IReadOnlyCollection<Endpoint> endpoints)
    {
        bool hasNodePorts = NodePort != 0 && Type != "ClusterIP";
        ServicePort[] ports =
        [
            new("tcp", "TCP", Port, hasNodePorts ? NodePort : 0), new("udp", "UDP", Port, hasNodePorts ? NodePort + 1 : 0),
        ];
        ServicePort[] targets = [new("tcp", "TCP", TargetPort), new("udp", "UDP", TargetPort)];
        string external = HasExternalIPs ? $"\nexternalIPs: [{ExternalIP().Address}, \"{ExternalIP(v6: true).Address}\"]" : "";
        string mode = IpMode.Length > 0 ? $", ipMode: {IpMode}" : "";
        string ingress = string.Join(
            ", ", OuterNode.Families.Select(v6 => $"{{ip: \"{LoadBalancer(v6).Address}\"{mode}}}"));
        string status = IsLoadBalancer ? $"status:\n  loadBalancer: {{ingress: [{ingress}]}}\n" : "";
        string[] clusterIPs = [.. OuterNode.Families.Select(v6 => ClusterIP(v6).Address)];
        return Manifests.File(
            Manifests.Service(Name, clusterIPs, ports, $"type: {Type}{external}\n{Spec}", Algorithm) + status,
            Manifests.Slice($"{Name}-v4", Name, v6: false, targets, endpoints),
            Manifests.Slice($"{Name}-v6", Name, v6: true, targets, endpoints));
    }
}
