// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Text;
using EbpfLb.Bench.Comparison.Services;

namespace EbpfLb.Bench.Comparison.Rules;

/// <summary>
/// What kube-proxy's iptables mode hands to iptables-restore for these services: KUBE-SERVICES names every address, a KUBE-SVC chain
/// chooses one of its KUBE-SEP chains by chance, and that translates. KUBE-EXT comes before KUBE-SVC for what is dialled from outside.
/// </summary>
internal sealed class IptablesRules
{
    private const int MostEndpointsOfSmall = 1000;

    private const string Mark = "0x4000";

    private readonly StringBuilder _chains = new();
    private readonly StringBuilder _rules = new();
    private readonly bool _hasComments;

    private IptablesRules(ComparedCluster cluster) => _hasComments = IsSmall(cluster);

    /// <summary>The jumps from the kernel's own chains, which are made once.</summary>
    public static string Setup { get; } = RuleText.Read("setup.iptables");

    /// <summary>Nothing is left in the two tables.</summary>
    public const string Nothing = "*filter\nCOMMIT\n*nat\nCOMMIT\n";

    private static readonly string Filter = RuleText.Read("filter.iptables");

    /// <summary>A full synchronisation.</summary>
    public static string Everything(ComparedCluster cluster) => Render(cluster, _ => true);

    /// <summary>With more endpoints kube-proxy leaves comments of services away, and chains that went to a later run.</summary>
    public static bool IsSmall(ComparedCluster cluster) => cluster.BackendCount <= MostEndpointsOfSmall;

    /// <summary>A partial one: the chains that name all services, and those of the one that changed.</summary>
    public static string Change(ComparedCluster cluster, ComparedService before, ComparedService after)
    {
        var gone = from port in before.Ports
                   from endpoint in before.Endpoints.Except(after.Endpoints)
                   select RuleNames.IptablesEndpoint(before, port, endpoint);
        return Render(cluster, service => service.Name == after.Name, IsSmall(cluster) ? [.. gone] : []);
    }

    private static string Render(ComparedCluster cluster, Func<ComparedService, bool> isWritten, params IReadOnlyList<string> gone)
    {
        var rules = new IptablesRules(cluster);
        rules.AddCommon();
        foreach (var service in cluster.Services)
        {
            foreach (var port in service.Ports)
            {
                rules.AddEntry(service, port);
                if (isWritten(service))
                    rules.AddChains(service, port);
            }
        }

        foreach (string chain in gone)
        {
            rules.Chain(chain);
            rules.Rule($"-X {chain}");
        }

        // Last, as its own comment says.
        rules.Rule(
            "-A KUBE-SERVICES -m comment --comment \"kubernetes service nodeports; NOTE: this must be the last rule in this chain\""
            + " -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS");
        return $"{Filter}*nat\n{rules._chains}{rules._rules}COMMIT\n";
    }

    private void AddCommon()
    {
        foreach (string chain in new[] { "KUBE-SERVICES", "KUBE-NODEPORTS", "KUBE-POSTROUTING", "KUBE-MARK-MASQ" })
            Chain(chain);
        Rule($"-A KUBE-POSTROUTING -m mark ! --mark {Mark}/{Mark} -j RETURN");
        Rule($"-A KUBE-POSTROUTING -j MARK --xor-mark {Mark}");
        Rule("""-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully""");
        Rule($"-A KUBE-MARK-MASQ -j MARK --or-mark {Mark}");
    }

    private void AddEntry(ComparedService service, ComparedPort port)
    {
        string inside = RuleNames.IptablesPort("KUBE-SVC-", service, port);
        string outside = RuleNames.IptablesPort("KUBE-EXT-", service, port);
        string name = RuleNames.PortName(service, port);
        Rule($"-A KUBE-SERVICES {Comment($"{name} cluster IP")}{Match(port, service.ClusterIP)} -j {inside}");
        if (service.LoadBalancer is { } address)
            Rule($"-A KUBE-SERVICES {Comment($"{name} loadbalancer IP")}{Match(port, address)} -j {outside}");
        if (port.NodePort is { } nodePort)
            Rule($"-A KUBE-NODEPORTS {Comment(name)}-m {port.Protocol} -p {port.Protocol} --dport {nodePort} -j {outside}");
    }

    private void AddChains(ComparedService service, ComparedPort port)
    {
        string inside = RuleNames.IptablesPort("KUBE-SVC-", service, port);
        string name = RuleNames.PortName(service, port);
        Chain(inside);
        if (service.IsExternal)
        {
            string outside = RuleNames.IptablesPort("KUBE-EXT-", service, port);
            Chain(outside);
            Rule($"-A {outside} {Comment($"masquerade traffic for {name} external destinations")}-j KUBE-MARK-MASQ");
            Rule($"-A {outside} -j {inside}");
        }

        Rule($"-A {inside} {Comment($"{name} cluster IP")}{Match(port, service.ClusterIP)} ! -s {ComparedCluster.PodNetwork} "
            + "-j KUBE-MARK-MASQ");
        for (int i = 0; i < service.Endpoints.Count; i++)
        {
            var endpoint = service.Endpoints[i];
            int left = service.Endpoints.Count - i;
            string chance = left == 1
                ? ""
                : string.Create(CultureInfo.InvariantCulture, $"-m statistic --mode random --probability {1.0 / left:0.0000000000} ");
            string chain = RuleNames.IptablesEndpoint(service, port, endpoint);
            Rule($"-A {inside} {Comment($"{name} -> {endpoint.Address}:{endpoint.Port}")}{chance}-j {chain}");
            AddEndpoint(chain, name, port, endpoint);
        }
    }

    private void AddEndpoint(string chain, string name, ComparedPort port, ComparedEndpoint endpoint)
    {
        Chain(chain);
        Rule($"-A {chain} {Comment(name)}-s {endpoint.Address} -j KUBE-MARK-MASQ");
        Rule($"-A {chain} {Comment(name)}-m {port.Protocol} -p {port.Protocol} "
            + $"-j DNAT --to-destination {endpoint.Address}:{endpoint.Port}");
    }

    private static string Match(ComparedPort port, string address) =>
        $"-m {port.Protocol} -p {port.Protocol} -d {address} --dport {port.Port}";

    private string Comment(string text) => _hasComments ? $"-m comment --comment \"{text}\" " : "";

    private void Chain(string name) => _chains.Append(CultureInfo.InvariantCulture, $":{name} - [0:0]\n");

    private void Rule(string rule) => _rules.Append(rule).Append('\n');
}
