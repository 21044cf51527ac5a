// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.CommandLine;
using System.Text.Json.Nodes;
using EbpfLb.Cli.Output;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Inspection;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Cli.Commands;

internal sealed class FrontendsCommand : ReaderCommand
{
    private const string Help =
        """
        A frontend of type NodePort has the address 0.0.0.0 or [::], which stands for the node's own addresses.
        POLICY is the traffic policy that decides for clients of this frontend: the internal one of the service for a ClusterIP,
        the external one for the others.

        Examples:
          ebpflb frontends
          ebpflb frontends -n kube-system
          ebpflb frontends -o json | jq -r '.[] | select(.port == 53) | .address'

        JSON (an array of objects with these keys; yaml has the same):
          address, port, protocol, type (of "ClusterIP", "NodePort", "LoadBalancer", "ExternalIP", joined by commas), serviceId,
          service (namespace/name:port-name), scope ("internal", "external"), trafficPolicy ("Cluster", "Local", null: no such service)
        """;

    private readonly Option<string?> _namespace = NamespaceOption();

    public FrontendsCommand(Terminal terminal)
        : base(terminal, "frontends", "What clients dial: address, port and protocol, and the service behind it.", Help)
    {
        Add(_namespace);
    }

    protected override Report Read(ParseResult result, string? bpffs)
    {
        using var inspector = DatapathInspector.Open(bpffs);
        string? inNamespace = result.GetValue(_namespace);
        var snapshot = inspector.ReadSnapshot();
        var services = snapshot.Services.ToDictionary(service => service.Id, service => service.Flags);
        TrafficPolicy? PolicyOf(FrontendView frontend) => services.TryGetValue(frontend.ServiceId, out var flags)
            ? flags.HasFlag(IsInternal(frontend) ? ServiceFlags.InternalLocal : ServiceFlags.ExternalLocal)
                ? TrafficPolicy.Local
                : TrafficPolicy.Cluster
            : null;

        return new ListReport<FrontendView>(
            "frontends",
            [.. snapshot.Frontends
                .Where(frontend => inNamespace is null || ServiceName.Parse(frontend.ServiceName).Namespace == inNamespace)],
            frontend => ToJson(frontend, PolicyOf(frontend)),
            new("FRONTEND", frontend => Text.HostPort(frontend.Address)),
            new("PROTOCOL", frontend => frontend.Address.Protocol.ToApiName()),
            new("TYPE", frontend => Text.Of(frontend.Flags)),
            new("POLICY", frontend => PolicyOf(frontend) is { } policy ? $"{Scope(frontend)}={policy}" : ""),
            new("SERVICE", frontend => frontend.ServiceName));
    }

    private static bool IsInternal(FrontendView frontend) => frontend.Flags.HasFlag(FrontendFlags.ClusterIP);

    private static string Scope(FrontendView frontend) => IsInternal(frontend) ? "internal" : "external";

    private static JsonObject ToJson(FrontendView frontend, TrafficPolicy? policy) => new()
    {
        ["address"] = frontend.Address.Address.ToString(),
        ["port"] = frontend.Address.Port,
        ["protocol"] = frontend.Address.Protocol.ToApiName(),
        ["type"] = Text.Of(frontend.Flags),
        ["serviceId"] = frontend.ServiceId,
        ["service"] = frontend.ServiceName,
        ["scope"] = Scope(frontend),
        ["trafficPolicy"] = policy?.ToString(),
    };
}
