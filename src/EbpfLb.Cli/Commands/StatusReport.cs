// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Globalization;
using System.Text.Json.Nodes;
using EbpfLb.Cli.Output;
using EbpfLb.Datapath.Contract;
using EbpfLb.Datapath.Inspection;
using EbpfLb.Datapath.Maps;
using EbpfLb.Linux.Bpf;

namespace EbpfLb.Cli.Commands;

/// <param name="now">To say when something was that is known by its age.</param>
internal sealed class StatusReport(StatusView status, DateTimeOffset now) : Report
{
    private const double NearlyFull = 0.8;
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    public override int ExitCode => status.Verdict.Health == Health.Ok ? Cli.ExitCode.Done : Cli.ExitCode.Failed;

    private string Word => status.Verdict.Health.ToString().ToUpperInvariant();

    public override void WriteTable(Terminal terminal, bool wide)
    {
        terminal.WriteVerdict(Word, status.Verdict.Reasons.Count == 0 ? "" : ": " + string.Join("; ", status.Verdict.Reasons));
        if (status.PinPath is null)
            return;

        terminal.Out.WriteLine();
        foreach (var (label, text) in Facts())
            terminal.Out.WriteLine($"{label + ":",-11}{Printable.Of(text)}");

        terminal.Out.WriteLine();
        WriteHooks(terminal);
        WriteDevices(terminal, wide);
        WriteMaps(terminal);
        WriteProblems(terminal);
    }

    public override void WriteJson(TextWriter output) => JsonText.Write(output, ToJson());

    public override void WriteYaml(TextWriter output) => YamlText.Write(output, ToJson());

    private JsonObject ToJson() => new()
    {
        ["verdict"] = Word,
        ["reasons"] = new JsonArray([.. status.Verdict.Reasons.Select(reason => JsonValue.Create(reason))]),
        ["pinPath"] = status.PinPath,
        ["kernel"] = new JsonObject
        {
            ["release"] = status.Kernel.Release,
            ["missing"] = new JsonArray([.. status.Kernel.Missing.Select(need => new JsonObject
            {
                ["feature"] = need.Name,
                ["since"] = need.Since,
                ["consequence"] = need.Without,
            })]),
        },
        ["agent"] = status.Agent is { } agent ? AgentJson(agent) : null,
        ["audit"] = status.Audit is { } audit ? AuditJson(audit) : null,
        ["programs"] = new JsonArray([.. status.Hooks.Select(hook => new JsonObject
        {
            ["name"] = hook.Program,
            ["hook"] = hook.AttachType,
            ["state"] = StateText(hook.State),
            ["programId"] = hook.State == HookState.Attached ? hook.ProgramId : null,
        })]),
        ["cgroups"] = new JsonArray([.. status.Cgroups.Select(cgroup => new JsonObject { ["id"] = cgroup.Id, ["path"] = cgroup.Path })]),
        ["devices"] = new JsonArray([.. status.Devices.Select(DeviceJson)]),
        ["services"] = Used(MapNames.Services),
        ["frontends"] = Used(MapNames.Frontends),
        ["backends"] = Used(MapNames.Backends),
        ["maps"] = new JsonArray([.. status.Maps.Select(MapsCommand.ToJson)]),
        ["problems"] = new JsonArray([.. status.Problems.Select(problem => new JsonObject
        {
            ["object"] = problem.Object,
            ["message"] = problem.Message,
        })]),
    };

    private static JsonObject DeviceJson(DeviceView device) => new()
    {
        ["index"] = device.Index,
        ["name"] = device.Name,
        ["kind"] = KindText(device),
        ["gone"] = device.IsGone,
        ["saidAttached"] = device.SaidAttached,
        ["xdpMode"] = ModeText(device),
        ["foreignXdp"] = device.ForeignXdp is { } foreign
            ? new JsonObject { ["programId"] = foreign.ProgramId, ["name"] = foreign.Name } : null,
        ["links"] = new JsonArray([.. device.Links.Select(link => new JsonObject
        {
            ["hook"] = ReasonText.Name(link.Hook),
            ["state"] = StateText(link.State),
            ["programId"] = link.State == HookState.Attached ? link.ProgramId : null,
            ["filter"] = link.IsFilter,
        })]),
    };

    private static JsonObject AuditJson(AuditView audit) => new()
    {
        ["endedSecondsAgo"] = Seconds(audit.EndedAgo),
        ["runs"] = audit.Runs,
        ["differed"] = audit.Differed,
        ["left"] = audit.Left,
        ["repaired"] = audit.Repaired,
        ["putBack"] = audit.PutBack,
    };

    private JsonObject AgentJson(AgentView agent) => new()
    {
        ["running"] = agent.RunningPid is not null,
        ["pid"] = agent.RunningPid,
        ["version"] = agent.Version,
        ["node"] = agent.Node,
        ["source"] = agent.Source,
        ["startedAt"] = agent.StartedAgo is { } started ? At(started) : null,
        ["startedSecondsAgo"] = Seconds(agent.StartedAgo),
        ["syncedSecondsAgo"] = Seconds(agent.SyncedAgo),
        ["syncs"] = agent.Syncs,
        ["desiredServices"] = agent.DesiredServices,
        ["failed"] = agent.Failed,
        ["problems"] = agent.Problems,
    };

    private IEnumerable<(string Label, string Text)> Facts()
    {
        if (status.Agent is { } agent)
        {
            yield return ("Agent", AgentText(agent));
            if (agent.StartedAgo is not null)
            {
                yield return ("Version", agent.Version);
                yield return ("Node", agent.Node);
                yield return ("Source", agent.Source);
                yield return ("Synced", SyncedText(agent));
            }

            if (agent.StartedAgo is not null && status.Audit is { } audit)
                yield return ("Audited", AuditedText(audit));
            yield return ("Services", $"{Used(MapNames.Services)} of {agent.DesiredServices} (service ports by family), "
                + $"{Used(MapNames.Frontends)} frontends, {Used(MapNames.Backends)} backends");
        }

        yield return ("Kernel", KernelText(status.Kernel));
        if (status.Cgroups.Count > 0)
        {
            yield return ("Cgroup", string.Join(
                ", ", status.Cgroups.Select(cgroup => cgroup.Path ?? $"id {cgroup.Id} (not visible from here)")));
        }

        if (status.Devices.Count > 0)
            yield return ("Devices", DevicesText());
        if (status.Maps.FirstOrDefault(map => map.Name == MapNames.Conntrack) is { Fill: { } fill } conntrack)
            yield return ("Conntrack", $"{conntrack.Used} of {conntrack.MaxEntries} entries ({Units.OfShare(fill)}), two for each flow");
        yield return ("Pinned at", status.PinPath!);
    }

    private static string KernelText(KernelView kernel) => kernel.Release + string.Concat(
        kernel.Missing.Select(need => $"; without {need.Name} (Linux {need.Since}), so {need.Without}"));

    private string DevicesText()
    {
        var uplinks = status.Devices.Where(device => device is { IsPod: false, IsAttached: true }).ToArray();
        int pods = status.Devices.Count(device => device is { IsPod: true, IsAttached: true });
        int xdp = uplinks.Count(device => device[Hook.Xdp] is { State: HookState.Attached });
        return $"{uplinks.Length} uplinks attached, {xdp} of them with XDP; {pods} pods attached";
    }

    private string AgentText(AgentView agent)
    {
        string running = agent.RunningPid is { } pid ? $"running, pid {pid}" : "not running";
        return agent.StartedAgo is { } ago
            ? $"{running}, {(agent.RunningPid is null ? "last started" : "since")} {At(ago)} ({Units.Of(ago)} ago)"
            : $"{running}; none has told its state yet";
    }

    private static string SyncedText(AgentView agent)
    {
        string ago = agent.SyncedAgo is { } time ? $"{Units.Of(time)} ago" : "never completely";
        return $"{ago}, {agent.Syncs} syncs, {agent.Failed} services failed, {agent.Problems} problems";
    }

    private static string AuditedText(AuditView audit)
    {
        string ago = audit.EndedAgo is { } time ? $"{Units.Of(time)} ago, {audit.Differed} entries differed" : "not yet";
        return $"{ago}; {audit.Repaired} repaired, {audit.PutBack} removed programs and pins put back since the agent's start";
    }

    private void WriteHooks(Terminal terminal)
    {
        var table = new TextTable(["PROGRAM", "HOOK", "STATE", "ID"]);
        foreach (var hook in status.Hooks)
        {
            table.Add([
                hook.Program, hook.AttachType, StateText(hook.State),
                hook.State == HookState.Attached ? hook.ProgramId.ToString(CultureInfo.InvariantCulture) : "",
            ]);
        }

        table.WriteTo(terminal);
    }

    // A node may have hundreds of pods; of their devices only what is wrong is of interest.
    private void WriteDevices(Terminal terminal, bool wide)
    {
        var shown = status.Devices
            .Where(device => wide || !device.IsPod || device.IsGone || device.Links.Any(link => link.State != HookState.Attached))
            .ToArray();
        if (shown.Length == 0)
            return;

        terminal.Out.WriteLine();
        var table = new TextTable(["DEVICE", "INDEX", "KIND", "XDP", "TC-INGRESS", "TC-EGRESS"]);
        foreach (var device in shown)
        {
            table.Add([
                device.Name ?? (device.IsGone ? "(gone)" : ""), device.Index.ToString(CultureInfo.InvariantCulture), KindText(device) ?? "",
                XdpText(device), StateText(device[Hook.TcIngress] ?? device[Hook.TcPod]), StateText(device[Hook.TcEgress]),
            ]);
        }

        table.WriteTo(terminal);
    }

    private static string? KindText(DeviceView device) => device.Links.Count == 0 ? null : device.IsPod ? "pod" : "uplink";

    private static string XdpText(DeviceView device) => device.ForeignXdp is { } foreign
        ? $"foreign program {foreign.ProgramId}{(foreign.Name.Length == 0 ? "" : $" '{Printable.Of(foreign.Name)}'")}"
        : ModeText(device) ?? StateText(device[Hook.Xdp]);

    private static string? ModeText(DeviceView device) =>
        device.XdpMode == XdpMode.None ? null : device.XdpMode.ToString().ToLowerInvariant();

    private static string StateText(DeviceLink? link) => link is null ? "" : StateText(link.State) + (link.IsFilter ? " (filter)" : "");

    private void WriteMaps(Terminal terminal)
    {
        var full = status.Maps.Where(map => map.Fill > NearlyFull).ToArray();
        if (full.Length == 0)
            return;

        terminal.Out.WriteLine();
        terminal.Out.WriteLine($"Maps filled above {Units.OfShare(NearlyFull)}:");
        var table = new TextTable([.. MapsCommand.FillColumns.Select(column => column.Header), "WHEN-FULL"]);
        foreach (var map in full)
        {
            table.Add([
                .. MapsCommand.FillColumns.Select(column => column.Cell(map)),
                map.WhenFull,
            ]);
        }

        table.WriteTo(terminal);
    }

    private void WriteProblems(Terminal terminal)
    {
        if (status.Problems.Count == 0)
            return;

        terminal.Out.WriteLine();
        terminal.Out.WriteLine("Problems:");
        foreach (var problem in status.Problems)
            terminal.Out.WriteLine($"  {Printable.Of(problem.Object)}: {Printable.Of(problem.Message)}");
        if (status.Agent is { } agent && agent.Problems > status.Problems.Count)
            terminal.Out.WriteLine($"  and {agent.Problems - status.Problems.Count} more, which the agent's log has");
    }

    private ulong? Used(string map) => status.Maps.FirstOrDefault(view => view.Name == map)?.Used;

    private string At(TimeSpan ago) => (now - ago).UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture);

    private static double? Seconds(TimeSpan? time) => time is { } value ? Math.Round(value.TotalSeconds, 3) : null;

    private static string StateText(HookState state) => state switch
    {
        HookState.Attached => "attached",
        HookState.Missing => "missing",
        _ => "detached",
    };
}
