// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.Text.Json.Nodes;
using EbpfLb.Agent;
using EbpfLb.Cli.Output;
using EbpfLb.Datapath.Audit;

namespace EbpfLb.Cli.Commands;

/// <param name="repair">Whether it was asked for.</param>
internal sealed class AuditReport(AuditFindings findings, bool repair) : Report
{
    public override int ExitCode => findings.Divergences.Count == 0 ? Cli.ExitCode.Done : Cli.ExitCode.Failed;

    public override void WriteTable(Terminal terminal, bool wide)
    {
        if (findings.Repaired.Count > 0)
        {
            terminal.Out.WriteLine($"Repaired by {(findings.IsAgentRunning ? "the agent" : "this command")}:");
            Write(terminal, findings.Repaired, wide);
            terminal.Out.WriteLine();
        }

        if (findings.Divergences.Count == 0)
        {
            terminal.Out.WriteLine(findings.Repaired.Count == 0 ? "Nothing differs." : "Nothing differs any more.");
            return;
        }

        terminal.Out.WriteLine(repair ? "Still different:" : "Different:");
        Write(terminal, findings.Divergences, wide);
        if (!repair)
            terminal.Error.WriteLine("'ebpflb audit --repair', with the same options, mends it, if they are the agent's.");
        else if (findings.IsAgentRunning)
        {
            terminal.Error.WriteLine(
                "The agent holds this to be right, or cannot write it: compare its source and options with those given here, and see 'ebpflb status'.");
        }
        else
            terminal.Error.WriteLine("What has to do with devices is put in place by the agent, when it is started.");
    }

    public override void WriteJson(TextWriter output) => JsonText.Write(output, ToJson());

    public override void WriteYaml(TextWriter output) => YamlText.Write(output, ToJson());

    private static void Write(Terminal terminal, IReadOnlyList<Divergence> divergences, bool wide)
    {
        string[] always = ["WHERE", "KIND", "KEY", "SERVICE"];
        var table = new TextTable(wide ? [.. always, "EXPECTED", "ACTUAL"] : always);
        foreach (var one in divergences)
        {
            string[] cells = [one.Where, KindText(one.Kind), one.Key, one.Service];
            table.Add(wide ? [.. cells, one.Expected, one.Actual] : cells);
        }

        table.WriteTo(terminal);
    }

    private JsonObject ToJson() => new()
    {
        ["agentRunning"] = findings.IsAgentRunning,
        ["divergences"] = ToJson(findings.Divergences),
        ["repaired"] = ToJson(findings.Repaired),
    };

    private static JsonArray ToJson(IEnumerable<Divergence> divergences) => new([.. divergences.Select(one => new JsonObject
    {
        ["where"] = one.Where,
        ["kind"] = KindText(one.Kind),
        ["key"] = one.Key,
        ["service"] = OrNull(one.Service),
        ["expected"] = OrNull(one.Expected),
        ["actual"] = OrNull(one.Actual),
    })]);

    private static string? OrNull(string text) => text.Length == 0 ? null : text;

    private static string KindText(DivergenceKind kind) => kind.ToString().ToLowerInvariant();
}
