// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;
using EbpfLb.LoadBalancing.Selection;
using static EbpfLb.LoadBalancing.Tests.Objects;

namespace EbpfLb.LoadBalancing.Tests.Selection;

/// <summary>The cases that kube-proxy itself is tested with, and those it leaves out, as one table.</summary>
/// <remarks>
/// <code>
///   node        name or name/zone
///   service     internal and external policy, C or L; a + when it can be dialled from outside
///   endpoints   name, state, place, hints:
///                 state   * ready, ~ terminating and serving, ! not ready, ? not ready but serving, x terminating and not serving
///                 place   @ on this node; elsewhere without it
///                 hints   zones after =, nodes after #, several joined by +
///   lists       - for a list that is not used, and nothing for one that is used and empty
///   anywhere    whether a usable endpoint exists on any node
/// </code>
/// </remarks>
public sealed class TopologyTable
{
    public static TheoryData<string, string, string, string, string, string, bool> Rows() => new()
    {
        // Zone hints.
        { "each hinted, this zone among them", "n1/za", "CC", "a*=za b*=zb c*=zc d*=za", "a d", "-", true },
        { "no zone label", "n1", "CC", "a*=za", "a", "-", true },
        { "empty zone label", "n1/", "CC", "a*=za", "a", "-", true },
        { "none for this zone", "n1/zb", "CC", "a*=za c*=zc", "a c", "-", true },
        { "the other of this zone is not ready", "n1/za", "CC", "a*=za b*=zb c*=zc d!=za", "a", "-", true },
        { "none of this zone is ready", "n1/za", "CC", "a!=za b*=zb c*=zc d!=za", "b c", "-", true },
        { "one without a hint", "n1/za", "CC", "a*=za b*=zb c* d*=za", "a b c d", "-", true },
        { "one without a hint that is not ready", "n1/za", "CC", "a*=za b*=zb c!", "a", "-", true },
        { "one without a hint that terminates", "n1/za", "CC", "a*=za b*=zb c~", "a", "-", true },
        { "several zones each", "n1/zc", "CC", "a*=za+zb+zc b*=zb+zc c*=zb+zd d*=zc", "a b d", "-", true },
        { "only terminating ones are hinted here", "n1/za", "CC", "a~=za b*=zb", "b", "-", true },
        { "fall-back ignores hints", "n1/za", "CC", "a~=za b~=zb", "a b", "-", true },

        // Node hints.
        { "this node before this zone", "n1/za", "CC", "a*=za#n1 b*=zb#n2 c*=zc#n3 d*=za#n4", "a", "-", true },
        { "one without any hint", "n1/za", "CC", "a*=za#n1 b* c*=zc#n3 d*=za#n4", "a b c d", "-", true },
        { "one without a node hint", "n1/za", "CC", "a*=za#n1 b*=zb c*=zc#n3 d*=za#n4", "a d", "-", true },
        { "none for this node", "n0/za", "CC", "a*=za#n1 b*=zb#n2 c*=zc#n3 d*=za#n4", "a d", "-", true },
        { "none for this node, no zone", "n0", "CC", "a*=za#n1 b*=zb#n2", "a b", "-", true },
        { "node hints alone, no zone", "n1", "CC", "a*#n1+n2 b*#n2", "a", "-", true },
        { "the one for this node is not ready", "n1/za", "CC", "a!=za#n1 b*=zb#n2 c*=za#n3", "c", "-", true },

        // Hints beside policies.
        { "external Local ignores hints", "n1/za", "CL+", "a*@=za b*@=zb c*=zc d*=za", "a d", "a b", true },
        { "internal Local ignores hints", "n1/za", "LC+", "a*@=za b*@=zb c*=zc d*=za", "a d", "a b", true },
        { "zone and place disagree", "n1/za", "CL+", "a*@=za b*@=zb c*=za d*=zb", "a c", "a b", true },

        // Policy Cluster.
        { "none at all", "n1", "CC", "", "", "-", false },
        { "none ready", "n1", "CC", "a! b!", "", "-", false },
        { "not ready but serving is not enough", "n1", "CC", "a? b?", "", "-", false },
        { "some ready", "n1", "CC", "a! b*", "b", "-", true },
        { "all terminating", "n1", "CC", "a~@ b~", "a b", "-", true },
        { "all terminating, one serves no more", "n1", "CC", "a~@ bx", "a", "-", true },
        { "all serve no more", "n1", "CC", "ax@ bx", "", "-", false },

        // Internal policy Local.
        { "internal Local, none at all", "n1", "LC", "", "-", "", false },
        { "internal Local, all elsewhere", "n1", "LC", "a* b*", "-", "", true },
        { "internal Local, all elsewhere and terminating", "n1", "LC", "a~ b~", "-", "", true },
        { "internal Local, all elsewhere and not ready", "n1", "LC", "a! bx", "-", "", false },
        { "internal Local, all here", "n1", "LC", "a*@ b*@", "-", "a b", true },
        { "internal Local, some here", "n1", "LC", "a*@ b*", "-", "a", true },
        { "internal Local, the one here terminates", "n1", "LC", "a~@ b*", "-", "a", true },
        { "internal Local, one here is ready, one terminates", "n1", "LC", "a~@ b*@ c*", "-", "b", true },
        { "internal Local and nothing from outside needs no Cluster list", "n1", "LC", "a* b*@", "-", "b", true },

        // External policy Local.
        { "external Local counts only from outside", "n1", "CL", "a* b*@", "a b", "-", true },
        { "external Local, none at all", "n1", "CL+", "", "", "", false },
        { "external Local, all elsewhere", "n1", "CL+", "a* b*", "a b", "", true },
        { "external Local, all here", "n1", "CL+", "a*@ b*@", "a b", "a b", true },
        { "external Local, some here", "n1", "CL+", "a*@ b*", "a b", "a", true },
        { "each list falls back for itself", "n1", "CL+", "a* b!@ c~@ d~", "a", "c", true },
        { "both lists fall back", "n1", "CL+", "a~ c~@", "a c", "c", true },

        // Both.
        { "internal Local, external Cluster, some here", "n1", "LC+", "a*@ b*", "a b", "a", true },
        { "both Local, some here", "n1", "LL+", "a*@ b*", "a b", "a", true },
        { "both Local, all elsewhere", "n1", "LL+", "a* b*", "a b", "", true },
        { "both Local, all elsewhere and terminating", "n1", "LL+", "a~ b~", "a b", "", true },
        { "both Local, nothing from outside", "n1", "LL", "a*@ b*", "-", "a", true },
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public void S32_The_lists_are_those_of_kube_proxy(
        string what, string node, string service, string endpoints, string cluster, string local, bool anywhere)
    {
        string[] place = node.Split('/');
        var scope = new TrafficScope(Policy(service[0]), Policy(service[1]), service.EndsWith('+'));
        Endpoint[] parsed = [.. endpoints.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(text => Endpoint(text, place[0]))];

        var selection = new EndpointSelector(place[0]).Select(
            [Slice("default/web", "default/web", parsed)], "http", Protocol.Tcp, AddressFamily.IPv4, scope,
            place.Length > 1 ? place[1] : null);

        string List(BackendFlags flag) => string.Join(
            ' ', selection.Backends.Where(backend => backend.Flags.HasFlag(flag)).Select(static backend => NameOf(backend.Address)));
        Assert.Equal(
            (what, cluster, local, anywhere),
            (what,
                scope.UsesClusterList ? List(BackendFlags.InCluster) : "-",
                scope.UsesLocalList ? List(BackendFlags.InLocal) : "-",
                selection.HasEndpoints));
        // Whoever is in neither list keeps the connections it has.
        Assert.Equal(
            parsed.Select(static endpoint => endpoint.Address).Order(), selection.Backends.Select(static backend => backend.Address));
    }

    [Fact]
    public void S33_While_an_endpoint_of_this_zone_is_ready_it_is_used_and_the_others_when_it_is_not()
    {
        const string Preferred = "a*=za b*=zb c*=zc";
        const string Gone = "a!=za b*=zb c*=zc";
        const string Back = "a!=za b*=zb c*=zc d*=za";
        Assert.Equal("a", Cluster("n1/za", Preferred));
        Assert.Equal("b c", Cluster("n1/za", Gone));
        Assert.Equal("d", Cluster("n1/za", Back));
    }

    [Fact]
    public void S33_A_preferred_node_falls_back_to_its_zone_and_then_to_all()
    {
        Assert.Equal("a", Cluster("n1/za", "a*=za#n1 b*=za#n2 c*=zb#n3"));
        Assert.Equal("b", Cluster("n1/za", "a!=za#n1 b*=za#n2 c*=zb#n3"));
        Assert.Equal("c", Cluster("n1/za", "a!=za#n1 b!=za#n2 c*=zb#n3"));
        Assert.Equal("a b", Cluster("n1/za", "a~=za#n1 b~=za#n2 c!=zb#n3"));
    }

    private static string Cluster(string node, string endpoints)
    {
        string[] place = node.Split('/');
        Endpoint[] parsed = [.. endpoints.Split(' ').Select(text => Endpoint(text, place[0]))];
        var selection = new EndpointSelector(place[0]).Select(
            [Slice("default/web", "default/web", parsed)], "http", Protocol.Tcp, AddressFamily.IPv4, default, place[1]);
        var listed = selection.Backends.Where(static backend => backend.Flags.HasFlag(BackendFlags.InCluster));
        return string.Join(' ', listed.Select(static backend => NameOf(backend.Address)));
    }

    private static TrafficPolicy Policy(char letter) => letter == 'L' ? TrafficPolicy.Local : TrafficPolicy.Cluster;

    private static Endpoint Endpoint(string text, string thisNode)
    {
        string[] nodes = text.Split('#');
        string[] zones = nodes[0].Split('=');
        return new Endpoint
        {
            Address = Address.Parse($"10.244.0.{text[0] - 'a' + 1}"),
            Ready = text[1] == '*',
            Serving = text[1] is '*' or '~' or '?',
            Terminating = text[1] is '~' or 'x',
            NodeName = zones[0].EndsWith('@') ? thisNode : "elsewhere",
            ZoneHints = zones.Length > 1 ? zones[1].Split('+').ToEquatableArray() : default,
            NodeHints = nodes.Length > 1 ? nodes[1].Split('+').ToEquatableArray() : default,
        };
    }

    private static char NameOf(Address address) => (char)('a' + address.ToIPAddress().GetAddressBytes()[3] - 1);
}
