// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.CommandLine;
using System.Text.Json.Nodes;
using EbpfLb.Cli.Output;
using EbpfLb.Datapath.Inspection;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Cli.Commands;

internal sealed class FrontendsCommand : ReaderCommand
{
    private const string Help =
        """
        Examples:
          ebpflb frontends
          ebpflb frontends -n kube-system
          ebpflb frontends -o json | jq -r '.[] | select(.port == 53) | .address'

        JSON (an array of objects with these keys; yaml has the same):
          address, port, protocol, type, serviceId, service (namespace/name:port-name)
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
        return new ListReport<FrontendView>(
            "frontends",
            [.. inspector.ReadSnapshot().Frontends
                .Where(frontend => inNamespace is null || ServiceName.Parse(frontend.ServiceName).Namespace == inNamespace)],
            ToJson,
            new("FRONTEND", frontend => Text.HostPort(frontend.Address)),
            new("PROTOCOL", frontend => frontend.Address.Protocol.ToApiName()),
            new("TYPE", frontend => frontend.Flags.ToString()),
            new("SERVICE", frontend => frontend.ServiceName));
    }

    private static JsonObject ToJson(FrontendView frontend) => new()
    {
        ["address"] = frontend.Address.Address.ToString(),
        ["port"] = frontend.Address.Port,
        ["protocol"] = frontend.Address.Protocol.ToApiName(),
        ["type"] = frontend.Flags.ToString(),
        ["serviceId"] = frontend.ServiceId,
        ["service"] = frontend.ServiceName,
    };
}
