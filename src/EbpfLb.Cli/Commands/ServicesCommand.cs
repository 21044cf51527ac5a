// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using EbpfLb.Cli.Output;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Inspection;
using EbpfLb.Datapath.Loading;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Cli.Commands;

internal sealed class ServicesCommand : ReaderCommand
{
    private const string Help =
        """
        One line per service port and IP family, which is what the maps have as one service.
        CLUSTER and LOCAL count the backends for traffic under that policy; 'wide' lists them, * marks those on this node,
        ! those that are terminating. A frontend of type NodePort has the address 0.0.0.0 or [::]: any address of the node.

        Examples:
          ebpflb services                       all of them
          ebpflb services web                   every port of the services called web, in any namespace
          ebpflb services -n shop web:http      one port of one service
          ebpflb services -o wide

        JSON (an array of objects with these keys; yaml has the same):
          id, namespace, name, portName, protocol, family, algorithm, maglevTableSize (0: no Maglev), affinityTimeoutSeconds (0: none),
          internalTrafficPolicy, externalTrafficPolicy, hasEndpoints, frontends [{address, port, type}],
          clusterBackends and localBackends [{id, address, port, onNode, terminating}]
        """;

    private readonly Argument<string[]> _names = new("NAME")
    {
        HelpName = "NAME",
        Description = "Only these: name, namespace/name, and either with :port-name.",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private readonly Option<string?> _namespace = NamespaceOption();

    public ServicesCommand(Terminal terminal)
        : base(terminal, "services", "What is served: services with their frontends and the number of their backends.", Help, hasWide: true)
    {
        _names.CompletionSources.Add(Names(name => name.Object));
        Add(_names);
        Add(_namespace);
    }

    protected override Report Read(ParseResult result, string? bpffs)
    {
        using var inspector = DatapathInspector.Open(bpffs);
        string? inNamespace = result.GetValue(_namespace);
        var services = inspector.ReadSnapshot().Services
            .Select(service => (Name: ServiceName.Parse(service.Name), Service: service))
            .Where(entry => inNamespace is null || entry.Name.Namespace == inNamespace)
            .ToArray();

        string[] names = result.GetValue(_names) ?? [];
        string[] unknown = [.. names.Where(text => !services.Any(entry => entry.Name.Matches(text)))];
        if (unknown.Length > 0)
        {
            throw new DatapathException(
                $"The datapath has no service {string.Join(", ", unknown.Select(text => $"'{text}'"))}"
                + (inNamespace is null ? "." : $" in namespace '{inNamespace}'.")
                + " 'ebpflb services' lists those it has, 'ebpflb status' names those that could not be programmed.");
        }

        var shown = names.Length == 0 ? services : services.Where(entry => names.Any(entry.Name.Matches));
        return Report([.. shown.Select(entry => entry.Service)]);
    }

    private static ListReport<ServiceView> Report(IReadOnlyList<ServiceView> services) => new(
        "services", services, ToJson,
        new("NAMESPACE/NAME", service => ServiceName.Parse(service.Name).Object),
        new("PORT", service => PortText(service)),
        new("FAMILY", service => service.Family.ToString()),
        new("FRONTENDS", service => string.Join(",", service.Frontends.Select(frontend => Text.HostPort(frontend.Address)))),
        new("ALGORITHM", AlgorithmText),
        new("AFFINITY", service => service.AffinityTimeoutSeconds == 0 ? "-" : $"{service.AffinityTimeoutSeconds}s"),
        new("POLICY", PolicyText),
        new("CLUSTER", service => Number(service.Cluster.Count)),
        new("LOCAL", service => Number(service.Local.Count)),
        new("TYPE", TypesText, OnlyWide: true),
        new("ID", service => Number(service.Id), OnlyWide: true),
        new("CLUSTER-BACKENDS", service => BackendsText(service.Cluster), OnlyWide: true),
        new("LOCAL-BACKENDS", service => BackendsText(service.Local), OnlyWide: true));

    private static string TypesText(ServiceView service) =>
        Text.Of(service.Frontends.Aggregate(FrontendFlags.None, (types, frontend) => types | frontend.Flags));

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string PortText(ServiceView service)
    {
        string name = ServiceName.Parse(service.Name).Port;
        return name.Length == 0 ? service.Protocol.ToApiName() : $"{name}/{service.Protocol.ToApiName()}";
    }

    private static uint TableSize(ServiceView service) =>
        service.Algorithm == Algorithm.Maglev ? Math.Max(service.ClusterSlots.Count, service.LocalSlots.Count) : 0;

    private static string AlgorithmText(ServiceView service) =>
        service.Algorithm == Algorithm.Maglev ? $"maglev={TableSize(service)}" : Text.Of(service.Algorithm);

    private static string PolicyText(ServiceView service) => (InternalLocal(service), ExternalLocal(service)) switch
    {
        (true, true) => "Local",
        (true, false) => "internal=Local",
        (false, true) => "external=Local",
        _ => "Cluster",
    };

    private static bool InternalLocal(ServiceView service) => service.Flags.HasFlag(ServiceFlags.InternalLocal);

    private static bool ExternalLocal(ServiceView service) => service.Flags.HasFlag(ServiceFlags.ExternalLocal);

    private static string BackendsText(IReadOnlyList<BackendView> backends) => string.Join(
        ",", backends.Select(backend => backend.Endpoint + (OnNode(backend) ? "*" : "") + (Terminating(backend) ? "!" : "")));

    private static bool OnNode(BackendView backend) => backend.Flags.HasFlag(BackendFlags.OnNode);

    private static bool Terminating(BackendView backend) => backend.Flags.HasFlag(BackendFlags.Terminating);

    private static JsonObject ToJson(ServiceView service)
    {
        var name = ServiceName.Parse(service.Name);
        return new JsonObject
        {
            ["id"] = service.Id,
            ["namespace"] = name.Namespace,
            ["name"] = name.Name,
            ["portName"] = name.Port,
            ["protocol"] = service.Protocol.ToApiName(),
            ["family"] = service.Family.ToString(),
            ["algorithm"] = Text.Of(service.Algorithm),
            ["maglevTableSize"] = TableSize(service),
            ["affinityTimeoutSeconds"] = service.AffinityTimeoutSeconds,
            ["internalTrafficPolicy"] = (InternalLocal(service) ? TrafficPolicy.Local : TrafficPolicy.Cluster).ToString(),
            ["externalTrafficPolicy"] = (ExternalLocal(service) ? TrafficPolicy.Local : TrafficPolicy.Cluster).ToString(),
            ["hasEndpoints"] = service.Flags.HasFlag(ServiceFlags.HasEndpoints),
            ["frontends"] = new JsonArray([.. service.Frontends.Select(frontend => new JsonObject
            {
                ["address"] = frontend.Address.Address.ToString(),
                ["port"] = frontend.Address.Port,
                ["type"] = Text.Of(frontend.Flags),
            })]),
            ["clusterBackends"] = BackendsJson(service.Cluster),
            ["localBackends"] = BackendsJson(service.Local),
        };
    }

    private static JsonArray BackendsJson(IReadOnlyList<BackendView> backends) => new([.. backends.Select(backend => new JsonObject
    {
        ["id"] = backend.Id,
        ["address"] = backend.Address.ToString(),
        ["port"] = backend.Port,
        ["onNode"] = OnNode(backend),
        ["terminating"] = Terminating(backend),
    })]);
}
