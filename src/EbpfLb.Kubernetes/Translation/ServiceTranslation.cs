// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using EbpfLb.Kubernetes.Objects;
using EbpfLb.LoadBalancing.Maglev;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Kubernetes.Translation;

public static class ServiceTranslation
{
    /// <summary>
    /// The API server has no such limit but the size of an object. Each port is a service of its own in the maps, twice with two
    /// families, so one object must not be worth as many as a cluster has; real ones have a handful.
    /// </summary>
    public const int MaxPorts = 1000;

    /// <summary>Each external IP and load balancer address has a frontend of each port.</summary>
    public const int MaxAddresses = 100;

    private const uint DefaultAffinityTimeoutSeconds = 10800;

    private const int MaxAffinityTimeoutSeconds = 86400;

    /// <returns>
    /// The service as far as it is right: a wrong port or address is left out and told as a problem. Null for a service that gets no
    /// frontends: headless, ExternalName, another proxy's, or without a usable cluster IP.
    /// </returns>
    public static Service? Translate(ServiceObject service, ProblemList problems)
    {
        ArgumentNullException.ThrowIfNull(service);
        ArgumentNullException.ThrowIfNull(problems);
        if (!FieldRules.TryGetServiceName(service.Metadata, problems, out var name))
            return null;

        var spec = service.Spec ?? new ServiceSpec();
        if (IsForSomeoneElse(service.Metadata!, spec))
            return null;

        // Everything is looked at before the decision, so that one pass tells every problem.
        CheckType(spec, problems);
        var clusterIPs = TranslateClusterIPs(spec, problems);
        var externalIPs = TranslateExternalIPs(spec.ExternalIPs ?? [], clusterIPs, problems);
        var loadBalancerIPs = TranslateLoadBalancerIPs(service, clusterIPs, problems);
        var sourceRanges = TranslateSourceRanges(spec.LoadBalancerSourceRanges ?? [], loadBalancerIPs, problems);
        var ports = TranslatePorts(spec, problems);
        var algorithm = TranslateAlgorithm(service.Metadata!, problems);
        int tableSize = TranslateTableSize(service.Metadata!, problems);
        uint affinityTimeout = TranslateAffinity(spec, problems);
        var internalPolicy = TranslatePolicy(spec.InternalTrafficPolicy, "spec.internalTrafficPolicy", problems);
        var externalPolicy = TranslatePolicy(spec.ExternalTrafficPolicy, "spec.externalTrafficPolicy", problems);
        if (clusterIPs.IsEmpty)
            return null;

        return new Service
        {
            Name = name,
            Uid = service.Metadata!.Uid ?? "",
            CreatedAt = service.Metadata.CreationTimestamp,
            ClusterIPs = clusterIPs,
            Ports = ports,
            LoadBalancerIPs = loadBalancerIPs,
            ExternalIPs = externalIPs,
            LoadBalancerSourceRanges = sourceRanges,
            AffinityTimeoutSeconds = affinityTimeout,
            InternalTrafficPolicy = internalPolicy,
            ExternalTrafficPolicy = externalPolicy,
            HealthCheckNodePort = TranslateHealthCheckNodePort(spec, externalPolicy, problems),
            Algorithm = algorithm,
            MaglevTableSize = tableSize,
        };
    }

    private static ushort TranslateHealthCheckNodePort(ServiceSpec spec, TrafficPolicy externalPolicy, ProblemList problems)
    {
        if (spec.Type != "LoadBalancer" || externalPolicy != TrafficPolicy.Local || spec.HealthCheckNodePort is null or 0)
            return 0;

        if (spec.HealthCheckNodePort is > 0 and <= ushort.MaxValue and int port)
            return (ushort)port;

        problems.Invalid("spec.healthCheckNodePort", FieldRules.NotAPort(spec.HealthCheckNodePort.Value));
        return 0;
    }

    private static bool IsForSomeoneElse(ObjectMeta metadata, ServiceSpec spec) =>
        spec.Type == "ExternalName"
        || spec.ClusterIP == "None"
        || spec.ClusterIPs is ["None", ..]
        || metadata.Labels?.ContainsKey(WellKnown.ServiceProxyNameLabel) == true;

    private static void CheckType(ServiceSpec spec, ProblemList problems)
    {
        if (spec.Type is not (null or "" or "ClusterIP" or "NodePort" or "LoadBalancer"))
            problems.Ignored("spec.type", $"{PrintableText.Quote(spec.Type)} is not a known type; taken as ClusterIP");
    }

    private static EquatableArray<Address> TranslateClusterIPs(ServiceSpec spec, ProblemList problems)
    {
        if (spec.ClusterIPs is not { Count: > 0 } texts)
        {
            if (string.IsNullOrEmpty(spec.ClusterIP))
            {
                problems.Ignored("spec.clusterIP", "the service has no cluster IP and gets no frontends until it has one");
                return default;
            }

            return TryGetClusterIP(spec.ClusterIP, "spec.clusterIP", problems, out var only) ? [only] : default;
        }

        var addresses = new List<Address>(2);
        for (int i = 0; i < texts.Count; i++)
        {
            string path = $"spec.clusterIPs[{i}]";
            if (!TryGetClusterIP(texts[i], path, problems, out var address))
                continue;

            if (addresses.Exists(other => other.Family == address.Family))
                problems.Invalid(path, $"{address} is a second {address.Family} address; a service has at most one of each family");
            else
                addresses.Add(address);
        }

        return addresses.ToEquatableArray();
    }

    private static bool TryGetClusterIP(string text, string path, ProblemList problems, out Address address)
    {
        if (!Address.TryParse(text, out address))
            problems.Invalid(path, $"{PrintableText.Quote(text)} is not an IP address");
        else if (AddressRules.ReasonAgainstClusterIP(address) is { } reason)
            problems.Invalid(path, $"{address} is {reason}; a cluster IP must be a unicast address of its own");
        else
            return true;

        return false;
    }

    private static EquatableArray<Address> TranslateExternalIPs(
        IReadOnlyList<string> texts, EquatableArray<Address> clusterIPs, ProblemList problems)
    {
        if (texts.Count > MaxAddresses)
        {
            problems.Invalid("spec.externalIPs", $"{texts.Count} addresses are more than the {MaxAddresses} a service may have");
            return default;
        }

        var addresses = new List<Address>(texts.Count);
        for (int i = 0; i < texts.Count; i++)
            AddExternalAddress(texts[i], $"spec.externalIPs[{i}]", "an external IP", clusterIPs, addresses, problems);
        return addresses.ToEquatableArray();
    }

    // Of another type the API server clears the status; what is left of it is a load balancer's that went.
    private static EquatableArray<Address> TranslateLoadBalancerIPs(
        ServiceObject service, EquatableArray<Address> clusterIPs, ProblemList problems)
    {
        if (service is not { Spec.Type: "LoadBalancer", LoadBalancerIngress: { } ingress })
            return default;

        const string Path = "status.loadBalancer.ingress";
        if (ingress.Count > MaxAddresses)
        {
            problems.Invalid(Path, $"{ingress.Count} addresses are more than the {MaxAddresses} a service may have");
            return default;
        }

        var addresses = new List<Address>(ingress.Count);
        for (int i = 0; i < ingress.Count; i++)
        {
            // A load balancer that is known by its host name, or that sends to NodePorts: nothing comes in with its address.
            if (string.IsNullOrEmpty(ingress[i].IP) || ingress[i].IPMode == "Proxy")
                continue;

            if (ingress[i].IPMode is null or "VIP")
                AddExternalAddress(ingress[i].IP!, $"{Path}[{i}].ip", "a load balancer address", clusterIPs, addresses, problems);
            else
            {
                problems.Ignored($"{Path}[{i}].ipMode",
                    $"{PrintableText.Quote(ingress[i].IPMode!)} is not a known mode; taken as Proxy: the address is not served");
            }
        }

        return addresses.ToEquatableArray();
    }

    private static void AddExternalAddress(
        string text, string path, string what, EquatableArray<Address> clusterIPs, List<Address> addresses, ProblemList problems)
    {
        if (!Address.TryParse(text, out var address))
            problems.Invalid(path, $"{PrintableText.Quote(text)} is not an IP address");
        else if (AddressRules.ReasonAgainstExternalAddress(address) is { } reason)
            problems.Invalid(path, $"{address} is {reason}; {what} must be a unicast address that can be routed");
        else if (!clusterIPs.IsEmpty && clusterIPs.All(clusterIP => clusterIP.Family != address.Family))
            problems.Ignored(path, $"{address} is not served: the service has no {address.Family} cluster IP");
        else if (!addresses.Contains(address))
            addresses.Add(address);
    }

    private static EquatableArray<AddressPrefix> TranslateSourceRanges(
        IReadOnlyList<string> texts, EquatableArray<Address> loadBalancerIPs, ProblemList problems)
    {
        var ranges = new List<AddressPrefix>(texts.Count);
        for (int i = 0; i < texts.Count; i++)
        {
            if (FieldRules.TryGetPrefix(texts[i], $"spec.loadBalancerSourceRanges[{i}]", problems, out var range))
                ranges.Add(range);
        }

        // kube-proxy's rule, and easily overlooked.
        if (ranges.Count > 0)
        {
            foreach (var family in loadBalancerIPs.Select(address => address.Family).Distinct()
                .Where(family => !ranges.Exists(range => range.Family == family)))
                problems.Ignored("spec.loadBalancerSourceRanges", $"no range is of {family}, so every {family} source is admitted");
        }

        return ranges.ToEquatableArray();
    }

    private static EquatableArray<ServicePort> TranslatePorts(ServiceSpec spec, ProblemList problems)
    {
        var specs = spec.Ports ?? [];
        bool hasNodePorts = spec.Type is "NodePort" or "LoadBalancer";
        if (specs.Count > MaxPorts)
        {
            problems.Invalid("spec.ports", $"{specs.Count} ports are more than the {MaxPorts} a service may have; split it into several");
            return default;
        }

        var ports = new List<ServicePort>(specs.Count);
        var names = new HashSet<string>(StringComparer.Ordinal);
        var numbers = new HashSet<(Protocol, int)>();
        var nodePorts = new HashSet<(Protocol, int)>();
        for (int i = 0; i < specs.Count; i++)
        {
            string what = $"spec.ports[{i}]";
            bool valid = FieldRules.TryGetPortName(specs[i].Name, what, problems, out string name);
            if (valid && name.Length == 0 && specs.Count > 1)
            {
                problems.Invalid($"{what}.name", "is required, because the service has several ports");
                valid = false;
            }
            else if (valid && !names.Add(name))
            {
                problems.Invalid($"{what}.name", $"'{name}' is the name of an earlier port too");
                valid = false;
            }

            valid &= FieldRules.TryGetProtocol(specs[i].Protocol, what, problems, out var protocol);
            if (specs[i].Port is not { } number)
            {
                problems.Invalid($"{what}.port", "is required");
            }
            else if (number is < 1 or > ushort.MaxValue)
            {
                problems.Invalid($"{what}.port", FieldRules.NotAPort(number));
            }
            else if (valid && !numbers.Add((protocol, number)))
            {
                problems.Invalid($"{what}.port", $"{number}/{protocol.ToApiName()} is an earlier port too");
            }
            else if (valid)
            {
                int nodePort = hasNodePorts ? TranslateNodePort(specs[i].NodePort ?? 0, what, protocol, nodePorts, problems) : 0;
                ports.Add(new ServicePort(name, protocol, (ushort)number, (ushort)nodePort));
            }
        }

        return ports.ToEquatableArray();
    }

    /// <returns>0 when there is none, or it is wrong: the port is served without it.</returns>
    private static int TranslateNodePort(
        int number, string what, Protocol protocol, HashSet<(Protocol, int)> earlier, ProblemList problems)
    {
        if (number is < 0 or > ushort.MaxValue)
            problems.Invalid($"{what}.nodePort", $"{number} is not a port; expected 1 to 65535, or 0 for none");
        else if (number != 0 && !earlier.Add((protocol, number)))
            problems.Invalid($"{what}.nodePort", $"{number}/{protocol.ToApiName()} is the node port of an earlier port too");
        else
            return number;

        return 0;
    }

    private static uint TranslateAffinity(ServiceSpec spec, ProblemList problems)
    {
        switch (spec.SessionAffinity)
        {
            case null or "" or "None":
                return 0;
            case "ClientIP":
                break;
            default:
                problems.Ignored("spec.sessionAffinity",
                    $"{PrintableText.Quote(spec.SessionAffinity)} is not a known affinity; taken as None");
                return 0;
        }

        if (spec.SessionAffinityTimeoutSeconds is not { } seconds)
            return DefaultAffinityTimeoutSeconds;

        if (seconds is >= 1 and <= MaxAffinityTimeoutSeconds)
            return (uint)seconds;

        problems.Invalid("spec.sessionAffinityConfig.clientIP.timeoutSeconds",
            $"{seconds} is not a timeout; expected 1 to {MaxAffinityTimeoutSeconds} seconds");
        return DefaultAffinityTimeoutSeconds;
    }

    private static TrafficPolicy TranslatePolicy(string? text, string path, ProblemList problems)
    {
        switch (text)
        {
            case null or "" or "Cluster":
                return TrafficPolicy.Cluster;
            case "Local":
                return TrafficPolicy.Local;
            default:
                problems.Ignored(path, $"{PrintableText.Quote(text)} is not a known policy; taken as Cluster");
                return TrafficPolicy.Cluster;
        }
    }

    /// <returns>Null leaves it to the agent's default.</returns>
    private static Algorithm? TranslateAlgorithm(ObjectMeta metadata, ProblemList problems)
    {
        switch (metadata.Annotation(WellKnown.AlgorithmAnnotation))
        {
            case null:
                return null;
            case "random":
                return Algorithm.Random;
            case "maglev":
                return Algorithm.Maglev;
            case var other:
                problems.Ignored($"metadata.annotations[{WellKnown.AlgorithmAnnotation}]",
                    $"{PrintableText.Quote(other)} is not an algorithm; expected random or maglev; the default is used");
                return null;
        }
    }

    private static int TranslateTableSize(ObjectMeta metadata, ProblemList problems)
    {
        if (metadata.Annotation(WellKnown.MaglevTableSizeAnnotation) is not { } text)
            return 0;

        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int size) && MaglevSize.IsAllowed(size))
            return size;

        problems.Ignored($"metadata.annotations[{WellKnown.MaglevTableSizeAnnotation}]",
            $"{PrintableText.Quote(text)} is not a table size; expected one of {MaglevSize.AllowedText}; "
            + "the number of backends decides");
        return 0;
    }
}
