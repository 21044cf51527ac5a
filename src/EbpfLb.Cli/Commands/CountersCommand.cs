// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using EbpfLb.Cli.Output;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Inspection;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Cli.Commands;

internal sealed class CountersCommand : ReaderCommand
{
    private const string Help =
        """
        Packets that had another fate than to be translated by the flow they belong to, by hook and reason; and what the flows of each
        service and backend carried. A service keeps the counts of backends it no longer has. 'in' is from clients, 'out' from backends.
        Connections are counted when they begin, packets and bytes at the sweep after. All count from the time the maps
        were made; connections of sockets on this node are translated without a packet path, so they are not in here.
        What is zero is shown with --all only.

        Examples:
          ebpflb counters --by reason
          ebpflb counters --by backend --service shop/web
          ebpflb counters -o json | jq -r '.reasons[] | select(.reason == "map_full") | .packets'

        JSON (an object with these keys, or the one that --by names; yaml has the same):
          reasons [{hook, reason, packets, bytes, meaning}],
          services [{service (namespace/name:port-name; empty: gone), serviceId, protocol, family (null: gone),
          connections, packetsIn, bytesIn, packetsOut, bytesOut}],
          backends [{backendId, address, port, protocol (null: gone), service, serviceId (null: gone), connections, ... as above}]
        """;

    private const string Remark = "Packets and bytes of services and backends are as of the last sweep; connections are as of now.";

    private static readonly string[] Tables = ["reason", "service", "backend"];

    private readonly Option<string?> _namespace = NamespaceOption();

    private readonly Option<string?> _service = ServiceOption("Only this service and its backends");

    private readonly Option<bool> _all = new("--all", "-a") { Description = "Also what is zero." };

    private readonly Option<string?> _by = new("--by")
    {
        Description = $"Only one of the tables: {string.Join(", ", Tables)}.",
        HelpName = "TABLE",
        CustomParser = result =>
        {
            string text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
            if (Tables.Contains(text))
                return text;

            result.AddError($"--by {text}: there is no such table. Use one of {string.Join(", ", Tables)}.");
            return null;
        },
    };

    public CountersCommand(Terminal terminal)
        : base(terminal, "counters", "Packets and connections: by reason, by service, by backend.", Help)
    {
        _by.CompletionSources.Add(Tables);
        Add(_by);
        Add(_service);
        Add(_namespace);
        Add(_all);
    }

    protected override Report Read(ParseResult result, string? bpffs)
    {
        using var inspector = DatapathInspector.Open(bpffs);
        string? by = result.GetValue(_by);
        string? service = result.GetValue(_service);
        string? inNamespace = result.GetValue(_namespace);
        bool all = result.GetValue(_all);
        var isWanted = Wanted(inNamespace, service);
        var counters = inspector.ReadCounters();

        // No reason belongs to a service.
        bool ofServices = service is not null || inNamespace is not null;
        var sections = new List<SectionsReport.Section>();
        if (by == "reason" || (by is null && !ofServices))
            sections.Add(new("reasons", "Reasons", Reasons([.. counters.Reasons.Where(count => all || count.Packets > 0)]), null));
        if (by is null or "service")
        {
            sections.Add(new("services", "Services", Services([.. counters.Services
                .Where(view => isWanted(view.ServiceName) && (all || view.Counters != default))]), Remark));
        }

        if (by is null or "backend")
        {
            sections.Add(new("backends", "Backends", Backends([.. counters.Backends
                .Where(view => isWanted(view.Backend?.ServiceName ?? "") && (all || view.Counters != default))]), Remark));
        }

        return new SectionsReport(sections);
    }

    private static ListReport<ReasonCount> Reasons(IReadOnlyList<ReasonCount> counts) => new(
        "packets counted by reason", counts,
        count => new JsonObject
        {
            ["hook"] = ReasonText.Name(count.Hook),
            ["reason"] = ReasonText.Name(count.Reason),
            ["packets"] = count.Packets,
            ["bytes"] = count.Bytes,
            ["meaning"] = ReasonText.Meaning(count.Reason),
        },
        new("HOOK", count => ReasonText.Name(count.Hook)),
        new("REASON", count => ReasonText.Name(count.Reason)),
        new("PACKETS", count => Number(count.Packets)),
        new("BYTES", count => Number(count.Bytes)),
        new("MEANING", count => ReasonText.Meaning(count.Reason)));

    private static ListReport<ServiceCounters> Services(IReadOnlyList<ServiceCounters> services) => new(
        "traffic counted by service", services,
        view => WithCounters(
            new JsonObject
            {
                ["service"] = view.ServiceName,
                ["serviceId"] = view.ServiceId,
                ["protocol"] = view.Protocol?.ToApiName(),
                ["family"] = view.Family?.ToString(),
            },
            view.Counters),
        [
            new("SERVICE", view => view.ServiceName.Length > 0 ? view.ServiceName : $"id {view.ServiceId} (gone)"),
            new("PROTOCOL", view => view.Protocol?.ToApiName() ?? ""),
            new("FAMILY", view => view.Family?.ToString() ?? ""),
            .. CounterColumns<ServiceCounters>(view => view.Counters),
        ]);

    private static ListReport<BackendCounters> Backends(IReadOnlyList<BackendCounters> backends) => new(
        "traffic counted by backend", backends,
        view => WithCounters(
            new JsonObject
            {
                ["backendId"] = view.BackendId,
                ["address"] = view.Backend?.Address.ToString(),
                ["port"] = view.Backend?.Port,
                ["protocol"] = view.Backend?.Protocol.ToApiName(),
                ["service"] = view.Backend?.ServiceName ?? "",
                ["serviceId"] = view.Backend?.ServiceId,
            },
            view.Counters),
        [
            new("BACKEND", view => view.Backend?.Endpoint ?? $"id {view.BackendId} (gone)"),
            new("PROTOCOL", view => view.Backend?.Protocol.ToApiName() ?? ""),
            new("SERVICE", view => view.Backend?.ServiceName ?? ""),
            .. CounterColumns<BackendCounters>(view => view.Counters),
        ]);

    private static Column<T>[] CounterColumns<T>(Func<T, CountersValue> counters) =>
    [
        new("CONNECTIONS", view => Number(counters(view).Connections)),
        new("PACKETS-IN", view => Number(counters(view).PacketsIn)),
        new("BYTES-IN", view => Number(counters(view).BytesIn)),
        new("PACKETS-OUT", view => Number(counters(view).PacketsOut)),
        new("BYTES-OUT", view => Number(counters(view).BytesOut)),
    ];

    private static JsonObject WithCounters(JsonObject json, CountersValue counters)
    {
        json["connections"] = counters.Connections;
        json["packetsIn"] = counters.PacketsIn;
        json["bytesIn"] = counters.BytesIn;
        json["packetsOut"] = counters.PacketsOut;
        json["bytesOut"] = counters.BytesOut;
        return json;
    }

    private static string Number(ulong value) => value.ToString(CultureInfo.InvariantCulture);
}
