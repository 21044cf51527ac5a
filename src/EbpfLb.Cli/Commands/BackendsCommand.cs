// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using EbpfLb.Cli.Output;
using EbpfLb.Datapath.Inspection;
using EbpfLb.LoadBalancing.Desired;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Cli.Commands;

internal sealed class BackendsCommand : ReaderCommand
{
    private const string Help =
        """
        An endpoint that serves several service ports is one backend of each: a backend belongs to exactly one service.
        LISTS says for traffic of which policy it is used, FLAGS whether it runs on this node and whether it is terminating.

        Examples:
          ebpflb backends --service shop/web
          ebpflb backends -n shop -o json | jq -r '.[] | select(.terminating) | .address'

        JSON (an array of objects with these keys; yaml has the same):
          id, address, port, protocol, serviceId, service (namespace/name:port-name), lists (of "cluster", "local"), onNode, terminating
        """;

    private readonly Option<string?> _namespace = NamespaceOption();

    private readonly Option<string?> _service = ServiceOption("Only backends of this service");

    public BackendsCommand(Terminal terminal)
        : base(terminal, "backends", "Where connections go: endpoints with their ids and flags.", Help)
    {
        Add(_service);
        Add(_namespace);
    }

    protected override Report Read(ParseResult result, string? bpffs)
    {
        using var inspector = DatapathInspector.Open(bpffs);
        var isWanted = Wanted(result.GetValue(_namespace), result.GetValue(_service));
        return new ListReport<BackendView>(
            "backends",
            [.. inspector.ReadSnapshot().Backends.Where(backend => isWanted(backend.ServiceName))],
            ToJson,
            new("ID", backend => backend.Id.ToString(CultureInfo.InvariantCulture)),
            new("ENDPOINT", backend => backend.Endpoint),
            new("PROTOCOL", backend => backend.Protocol.ToApiName()),
            new("SERVICE", backend => backend.ServiceName),
            new("LISTS", backend => string.Join(",", Lists(backend))),
            new("FLAGS", backend => string.Join(",", Flags(backend))));
    }

    private static IEnumerable<string> Lists(BackendView backend)
    {
        if (backend.Flags.HasFlag(BackendFlags.InCluster))
            yield return "cluster";
        if (backend.Flags.HasFlag(BackendFlags.InLocal))
            yield return "local";
    }

    private static IEnumerable<string> Flags(BackendView backend)
    {
        if (backend.Flags.HasFlag(BackendFlags.OnNode))
            yield return "on-node";
        if (backend.Flags.HasFlag(BackendFlags.Terminating))
            yield return "terminating";
    }

    private static JsonObject ToJson(BackendView backend) => new()
    {
        ["id"] = backend.Id,
        ["address"] = backend.Address.ToString(),
        ["port"] = backend.Port,
        ["protocol"] = backend.Protocol.ToApiName(),
        ["serviceId"] = backend.ServiceId,
        ["service"] = backend.ServiceName,
        ["lists"] = new JsonArray([.. Lists(backend).Select(list => JsonValue.Create(list))]),
        ["onNode"] = backend.Flags.HasFlag(BackendFlags.OnNode),
        ["terminating"] = backend.Flags.HasFlag(BackendFlags.Terminating),
    };
}
