// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.CommandLine;
using EbpfLb.Agent;
using EbpfLb.Cli.Output;

namespace EbpfLb.Cli.Commands;

internal sealed class AuditCommand : DescribedCommand
{
    public const string AuditName = "audit";

    private const string Help =
        """
        Everything is listed anew from the source, and what it should lead to is compared with what is in the kernel: every entry of the
        maps of services, what their slots lead to, the settings, the node's addresses and devices (where they can be seen from here), the
        programs, their links and their pins. Give it the options that the agent has: what they decide is compared as well.

        Without --repair nothing is written. With it the running agent is asked to audit itself, because the maps are its own; what it
        knows of the source counts then. Without an agent this command mends maps, pins and socket hooks; devices wait for an agent.
        What differs only while a change is on its way is not told. The agent audits itself every five minutes: 'ebpflb status' says
        what it found.

        Exit status: 0 nothing differs (any more), 1 something does, or the audit failed, 2 wrong usage.

        Examples:
          ebpflb audit --kubeconfig /etc/kubernetes/ebpflb.conf --node-name node1
          ebpflb audit --manifests /etc/ebpflb -o json | jq '.divergences[] | select(.where == "backends_v1")'
          ebpflb audit --config /var/lib/kube-proxy/config.conf --repair

        JSON (an object with these keys; yaml has the same):
          agentRunning, divergences, repaired (arrays of the same: what differs, with --repair still; and what did before)
          [{where (a map, or "links", "pins"), kind ("missing", "extra", "changed"), key, service (null: nobody's alone),
          expected, actual (null: nothing, or the key says all)}]
        """;

    /// <param name="terminal">Where it is written.</param>
    /// <param name="run"><see cref="AuditProcess.RunAsync"/>.</param>
    /// <param name="environment">Values of its variables.</param>
    public AuditCommand(
        Terminal terminal, Func<AgentOptions, bool, CancellationToken, Task<AuditFindings>> run, Func<string, string?> environment)
        : base(AuditName, "Is what is in the kernel what it should be? With --repair, make it so.", Help)
    {
        var repair = new Option<bool>("--repair") { Description = "Mend what differs. Default: only tell it." };
        var output = OutputFormats.Option(hasWide: true);
        var set = new AgentOptionSet(BpfFsOption(), environment);
        Add(repair);
        Add(output);
        foreach (var option in set.All)
            Add(option);
        SetAction(async (result, stopping) =>
        {
            var errors = new List<string>();
            var options = set.Settings(result).Bind(errors);
            if (errors.Count > 0)
            {
                foreach (string error in errors)
                    await terminal.Error.WriteLineAsync($"error: {Printable.Of(error)}").ConfigureAwait(false);
                await terminal.Error.WriteLineAsync("Try 'ebpflb audit --help'.").ConfigureAwait(false);
                return ExitCode.WrongUsage;
            }

            bool mends = result.GetValue(repair);
            var report = new AuditReport(await run(options, mends, stopping).ConfigureAwait(false), mends);
            switch (result.GetValue(output))
            {
                case OutputFormat.Json:
                    report.WriteJson(terminal.Out);
                    break;
                case OutputFormat.Yaml:
                    report.WriteYaml(terminal.Out);
                    break;
                case var format:
                    report.WriteTable(terminal, wide: format == OutputFormat.Wide);
                    break;
            }

            return report.ExitCode;
        });
    }
}
