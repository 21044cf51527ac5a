// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Text;
using EbpfLb.Bench.Comparison.Services;

namespace EbpfLb.Bench.Comparison.Rules;

/// <summary>
/// What kube-proxy's nftables mode hands to nft for these services: verdict maps from addresses and node ports to a chain a service port,
/// which translates to one of a map's endpoints by chance.
/// </summary>
internal static class NftablesRules
{
    private const string Table = "ip kube-proxy";

    /// <summary>Whether it exists or not.</summary>
    public const string Nothing = $"add table {Table}\ndelete table {Table}\n";

    private static readonly string Base = RuleText.Read("base.nft")
        .Replace("SERVICE_NETWORK", ComparedCluster.ServiceNetwork, StringComparison.Ordinal)
        .Replace("POD_NETWORK", ComparedCluster.PodNetwork, StringComparison.Ordinal)
        .Replace("NODE_ADDRESS", ComparedCluster.NodeAddress, StringComparison.Ordinal);

    /// <summary>A full synchronisation, one transaction.</summary>
    public static string Everything(ComparedCluster cluster)
    {
        var text = new StringBuilder(Base);
        foreach (var service in cluster.Services)
        {
            foreach (var port in service.Ports)
                AddPort(text, service, port);
            Element(text, "cluster-ips", service.ClusterIP);
        }

        return text.ToString();
    }

    /// <summary>A partial one: the chains of the service that changed, and what differs in sets.</summary>
    public static string Change(ComparedService before, ComparedService after)
    {
        var text = new StringBuilder();
        foreach (var port in after.Ports)
        {
            string chain = RuleNames.NftablesPort("service", after, port);
            Line(text, $"add chain {Table} {chain}");
            Line(text, $"flush chain {Table} {chain}");
            AddTranslation(text, after, port);
            foreach (var gone in OnNode(before).Except(OnNode(after)))
                Line(text, $"delete element {Table} hairpin-connections {{ {Hairpin(port, gone)} }}");
            foreach (var come in OnNode(after).Except(OnNode(before)))
                Element(text, "hairpin-connections", Hairpin(port, come));
        }

        return text.ToString();
    }

    private static void AddPort(StringBuilder text, ComparedService service, ComparedPort port)
    {
        string inside = RuleNames.NftablesPort("service", service, port);
        string outside = RuleNames.NftablesPort("external", service, port);
        Line(text, $"add chain {Table} {inside}");
        AddTranslation(text, service, port);
        if (service.IsExternal)
        {
            Line(text, $"add chain {Table} {outside}");
            Line(text, $"add rule {Table} {outside} mark set mark or 0x4000");
            Line(text, $"add rule {Table} {outside} goto {inside}");
        }

        Element(text, "service-ips", $"{service.ClusterIP} . {port.Protocol} . {port.Port} : goto {inside}");
        if (service.LoadBalancer is { } address)
            Element(text, "service-ips", $"{address} . {port.Protocol} . {port.Port} : goto {outside}");
        if (port.NodePort is { } nodePort)
            Element(text, "service-nodeports", $"{port.Protocol} . {nodePort} : goto {outside}");
        foreach (var endpoint in OnNode(service))
            Element(text, "hairpin-connections", Hairpin(port, endpoint));
    }

    private static void AddTranslation(StringBuilder text, ComparedService service, ComparedPort port)
    {
        string chain = RuleNames.NftablesPort("service", service, port);
        string places = string.Join(" , ", service.Endpoints.Select((endpoint, i) => $"{i} : {endpoint.Address} . {endpoint.Port}"));
        string choice = $"numgen random mod {service.Endpoints.Count} map {{ {places} }}";
        Line(text, $"add rule {Table} {chain} meta l4proto {port.Protocol} dnat to {choice}");
    }

    private static IEnumerable<ComparedEndpoint> OnNode(ComparedService service) =>
        service.Endpoints.Where(endpoint => endpoint.Node == ComparedCluster.Node);

    private static string Hairpin(ComparedPort port, ComparedEndpoint endpoint) =>
        $"{endpoint.Address} . {endpoint.Address} . {port.Protocol} . {endpoint.Port}";

    private static void Element(StringBuilder text, string set, string element) => Line(text, $"add element {Table} {set} {{ {element} }}");

    private static void Line(StringBuilder text, FormattableString line) =>
        text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
