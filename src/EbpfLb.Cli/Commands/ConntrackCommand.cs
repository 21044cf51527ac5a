// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using EbpfLb.Cli.Output;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Inspection;
using EbpfLb.LoadBalancing.Model;

namespace EbpfLb.Cli.Commands;

internal sealed class ConntrackCommand : ReaderCommand
{
    private const string Help =
        """
        A flow is two entries of conntrack_v1, one for each direction, shown here as one line. FRONTEND is what the client dialled,
        BACKEND where its packets go, SNAT whom the backend sees instead of the client ('-': the client itself). AGE is the time since
        the last packet, EXPIRES-IN the time until a sweep removes the flow if no other comes. A flow that lost a half has its STATE
        marked: ',forward-only' or ',reply-only'. The datapath makes such a flow whole when its next packet comes. (One that is not answered
        yet has the reply's half only, and no mark.)

        STATE:
          SYN-SENT         not answered yet                 FIN-WAIT     one side has ended
          SYN-RECEIVED     answered, not acknowledged yet   CLOSING      both sides have
          ESTABLISHED      the handshake is through         RESET        one side has reset it
          UNREPLIED        the client goes on, nothing of the backend was seen: a connection picked up in its middle
          UDP, SCTP        packets of both sides; UDP-UNREPLIED, SCTP-UNREPLIED: of the client only

        'wide' adds the packets and bytes of both directions (in: from the client) and FLAGS: local (the backend is on this node),
        picked-up (began in its middle), internal (the client is a pod of this node). Packet numbers of a flow wrap after 2^32.
        The packet that began a flow is counted for its service and backend only ('ebpflb counters').

        Examples:
          ebpflb conntrack --client 192.0.2.7
          ebpflb conntrack --service shop/web -o wide
          ebpflb conntrack -o json | jq -r '.[] | select(.state == "SYN-SENT") | .backend.address' | sort | uniq -c

        JSON (an array of objects with these keys; yaml has the same):
          protocol, client, frontend, backend, snat (each {address, port}; snat is null for '-'), state,
          halves ("both", "forward", "reply"), backendId, service (namespace/name:port-name; empty when it is gone), local, pickedUp,
          internal, seenSecondsAgo, expiresInSeconds (null: no agent has set the timeouts), in and out (each {packets, bytes}, or null when
          that half is missing)
        """;

    private readonly Option<string?> _namespace = NamespaceOption();

    private readonly Option<string?> _service = ServiceOption("Only flows to this service");

    private readonly Option<Address?> _client = new("--client")
    {
        Description = "Only flows of this client.",
        HelpName = "ADDRESS",
        CustomParser = result =>
        {
            string text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
            if (Address.TryParse(text, out var address))
                return address;

            result.AddError($"--client {text}: this is not an IP address.");
            return null;
        },
    };

    private readonly Option<int?> _limit = new("--limit")
    {
        Description = "The first NUMBER flows, ordered by client and frontend. Default: all.",
        HelpName = "NUMBER",
        CustomParser = result =>
        {
            string text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int limit) && limit > 0)
                return limit;

            result.AddError($"--limit {text}: this is not a number from 1 on.");
            return null;
        },
    };

    public ConntrackCommand(Terminal terminal)
        : base(terminal, "conntrack", "Translated flows: who talks to which backend, and in what state.", Help, hasWide: true)
    {
        Add(_service);
        Add(_namespace);
        Add(_client);
        Add(_limit);
    }

    protected override Report Read(ParseResult result, string? bpffs)
    {
        using var inspector = DatapathInspector.Open(bpffs);
        var isWanted = Wanted(result.GetValue(_namespace), result.GetValue(_service));
        var client = result.GetValue(_client);
        int limit = result.GetValue(_limit) ?? int.MaxValue;
        var flows = inspector.ReadFlows(flow => (client is null || flow.Client.Address == client) && isWanted(flow.ServiceName));
        return new ListReport<FlowView>(
            "flows", [.. flows.Take(limit)], ToJson,
            new("PROTOCOL", flow => flow.Protocol.ToApiName()),
            new("CLIENT", flow => flow.Client.ToString()),
            new("FRONTEND", flow => flow.Frontend.ToString()),
            new("BACKEND", flow => flow.Backend.ToString()),
            new("SNAT", flow => flow.Snat?.ToString() ?? ""),
            new("STATE", flow => StateText(flow) + HalfMark(flow)),
            new("AGE", flow => Units.Of(flow.SeenAgo)),
            new("EXPIRES-IN", flow => flow.ExpiresIn is { } left ? Units.Of(left) : ""),
            new("SERVICE", flow => flow.ServiceName),
            new("PACKETS-IN", flow => Number(flow.In?.Packets), OnlyWide: true),
            new("BYTES-IN", flow => Number(flow.In?.Bytes), OnlyWide: true),
            new("PACKETS-OUT", flow => Number(flow.Out?.Packets), OnlyWide: true),
            new("BYTES-OUT", flow => Number(flow.Out?.Bytes), OnlyWide: true),
            new("FLAGS", flow => string.Join(",", Flags(flow)), OnlyWide: true))
        {
            Remark = flows.Count > limit ? $"{limit} of {flows.Count} flows." : null,
        };
    }

    private static string Number(ulong? value) => value?.ToString(CultureInfo.InvariantCulture) ?? "";

    private static string StateText(FlowView flow) => flow.State switch
    {
        FlowState.SynSent => "SYN-SENT",
        FlowState.SynReceived => "SYN-RECEIVED",
        FlowState.Established => "ESTABLISHED",
        FlowState.FinWait => "FIN-WAIT",
        FlowState.Closing => "CLOSING",
        FlowState.Reset => "RESET",
        FlowState.Unreplied => flow.Protocol == Protocol.Tcp ? "UNREPLIED" : $"{flow.Protocol.ToApiName()}-UNREPLIED",
        _ => flow.Protocol.ToApiName(),
    };

    private static string HalfMark(FlowView flow) => flow.Halves switch
    {
        FlowHalves.Both => "",
        FlowHalves.ForwardOnly => ",forward-only",
        // An opening has no other half before it is answered.
        _ => flow.State is FlowState.SynSent or FlowState.Unreplied ? "" : ",reply-only",
    };

    private static IEnumerable<string> Flags(FlowView flow)
    {
        if (flow.Traits.HasFlag(ConntrackFlags.Local))
            yield return "local";
        if (flow.Traits.HasFlag(ConntrackFlags.PickedUp))
            yield return "picked-up";
        if (flow.Traits.HasFlag(ConntrackFlags.Internal))
            yield return "internal";
    }

    private static JsonObject ToJson(FlowView flow) => new()
    {
        ["protocol"] = flow.Protocol.ToApiName(),
        ["client"] = ToJson(flow.Client),
        ["frontend"] = ToJson(flow.Frontend),
        ["backend"] = ToJson(flow.Backend),
        ["snat"] = flow.Snat is { } snat ? ToJson(snat) : null,
        ["state"] = StateText(flow),
        ["halves"] = flow.Halves switch { FlowHalves.Both => "both", FlowHalves.ForwardOnly => "forward", _ => "reply" },
        ["backendId"] = flow.BackendId,
        ["service"] = flow.ServiceName,
        ["local"] = flow.Traits.HasFlag(ConntrackFlags.Local),
        ["pickedUp"] = flow.Traits.HasFlag(ConntrackFlags.PickedUp),
        ["internal"] = flow.Traits.HasFlag(ConntrackFlags.Internal),
        ["seenSecondsAgo"] = Seconds(flow.SeenAgo),
        ["expiresInSeconds"] = flow.ExpiresIn is { } left ? Seconds(left) : null,
        ["in"] = ToJson(flow.In),
        ["out"] = ToJson(flow.Out),
    };

    private static JsonObject ToJson(AddressPort end) => new() { ["address"] = end.Address.ToString(), ["port"] = end.Port };

    private static JsonObject? ToJson(CountValue? count) =>
        count is { } value ? new JsonObject { ["packets"] = value.Packets, ["bytes"] = value.Bytes } : null;

    private static double Seconds(TimeSpan time) => Math.Round(time.TotalSeconds, 3);
}
