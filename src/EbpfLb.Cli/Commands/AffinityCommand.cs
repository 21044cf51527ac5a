// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.CommandLine;
using System.Text.Json.Nodes;
using EbpfLb.Cli.Output;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Inspection;

namespace EbpfLb.Cli.Commands;

internal sealed class AffinityCommand : ReaderCommand
{
    private const string Help =
        """
        A client is a network namespace (a pod, or the host), told by its cookie, or an address.
        Entries whose time is up, or whose service or backend is gone, have no effect and are shown with --all only.

        Examples:
          ebpflb affinity
          ebpflb affinity --all -n shop

        JSON (an array of objects with these keys; yaml has the same):
          client, clientKind ("address" or "netns"), serviceId, service (namespace/name:port-name), backendId,
          backend ({address, port}, or null when it is gone), lastUsedSecondsAgo, expiresInSeconds (null unless bound),
          state ("bound", "expired", "stale")
        """;

    private readonly Option<string?> _namespace = NamespaceOption();

    private readonly Option<bool> _all = new("--all", "-a") { Description = "Also entries that have no effect any more." };

    public AffinityCommand(Terminal terminal)
        : base(terminal, "affinity", "Which backend each client of a service with session affinity is bound to.", Help)
    {
        Add(_namespace);
        Add(_all);
    }

    protected override Report Read(ParseResult result, string? bpffs)
    {
        using var inspector = DatapathInspector.Open(bpffs);
        string? inNamespace = result.GetValue(_namespace);
        bool all = result.GetValue(_all);
        AffinityView[] views =
        [
            .. inspector.ReadAffinity()
                .Where(view => all || view.State == AffinityState.Bound)
                .Where(view => inNamespace is null || ServiceName.Parse(view.ServiceName).Namespace == inNamespace),
        ];
        List<Column<AffinityView>> columns =
        [
            new("CLIENT", view => view.Client),
            new("SERVICE", view => view.ServiceName),
            new("BACKEND", view => view.Backend?.Endpoint ?? $"id {view.BackendId} (gone)"),
            new("LAST-USED", view => $"{Units.Of(view.LastUsedAgo)} ago"),
            new("EXPIRES-IN", view => view.ExpiresIn is { } left ? Units.Of(left) : "-"),
        ];
        if (all)
            columns.Add(new("STATE", StateText));
        return new ListReport<AffinityView>("affinity entries", views, ToJson, [.. columns]);
    }

    private static string StateText(AffinityView view) => view.State switch
    {
        AffinityState.Bound => "bound",
        AffinityState.Expired => "expired",
        _ => "stale",
    };

    private static JsonObject ToJson(AffinityView view) => new()
    {
        ["client"] = view.Client,
        ["clientKind"] = view.ClientKind == ClientKind.NetNs ? "netns" : "address",
        ["serviceId"] = view.ServiceId,
        ["service"] = view.ServiceName,
        ["backendId"] = view.BackendId,
        ["backend"] = view.Backend is { } backend
            ? new JsonObject { ["address"] = backend.Address.ToString(), ["port"] = backend.Port }
            : null,
        ["lastUsedSecondsAgo"] = Seconds(view.LastUsedAgo),
        ["expiresInSeconds"] = view.ExpiresIn is { } left ? Seconds(left) : null,
        ["state"] = StateText(view),
    };

    private static double Seconds(TimeSpan time) => Math.Round(time.TotalSeconds, 3);
}
