// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Agent;
using EbpfLb.Cli.Output;

namespace EbpfLb.Cli.Commands;

internal sealed class AgentCommand : DescribedCommand
{
    private const string AgentName = "agent";

    private const string Help =
        """
        One source is followed: an API server (--kubeconfig, --config, KUBECONFIG, or in a pod its service account), or --manifests.

        kube-proxy's arguments are taken as they are. Those of its flags that mean nothing here (--proxy-mode, --cluster-cidr,
        --masquerade-all, ...) are not listed above; the log names them once, as it does such fields of --config. -v 4 is --log-level
        debug. --config is read at the start only.

        Maps grow as they fill; one with a --map-size has that size instead, from the start of the agent on, if its entries fit. On SIGTERM
        the agent goes and the datapath stays: services are served as last programmed until 'ebpflb cleanup'.

        Exit status: 0 told to stop, 1 could not start or go on, 2 wrong usage.

        Examples:
          ebpflb agent --config /var/lib/kube-proxy/config.conf
          ebpflb agent --kubeconfig /etc/kubernetes/ebpflb.conf --node-name node1
          ebpflb agent --manifests /etc/ebpflb
          ebpflb agent --manifests /etc/ebpflb --node-name node1 --default-algorithm maglev
          ebpflb agent --manifests /etc/ebpflb --devices 'eth*,bond0' --node-ip 192.0.2.10,2001:db8::10
          ebpflb agent --manifests ./manifests --bpffs /run/test/bpf --cgroup /sys/fs/cgroup/test --log-level debug
        """;

    /// <param name="terminal">Where errors go.</param>
    /// <param name="run">The agent.</param>
    /// <param name="environment">Values of its variables.</param>
    public AgentCommand(
        Terminal terminal, Func<AgentOptions, CancellationToken, Task<int>> run, Func<string, string?> environment)
        : base(AgentName, "Follow services and endpoints, and program them into the kernel of this node.", Help)
    {
        var set = new AgentOptionSet(BpfFsOption(), environment);
        foreach (var option in set.All)
            Add(option);
        SetAction(async (result, stopping) =>
        {
            var errors = new List<string>();
            var options = set.Settings(result).Bind(errors);
            if (errors.Count == 0)
                return await run(options, stopping).ConfigureAwait(false);

            foreach (string error in errors)
                await terminal.Error.WriteLineAsync($"error: {Printable.Of(error)}").ConfigureAwait(false);
            await terminal.Error.WriteLineAsync("Try 'ebpflb agent --help'.").ConfigureAwait(false);
            return ExitCode.WrongUsage;
        });
    }

    /// <summary>For errors of lines that were not understood, or whose command is long over: no more than a look at the text.</summary>
    public static bool AsksForDebug(IReadOnlyList<string> args)
    {
        for (int i = 0; i < args.Count; i++)
        {
            string level = args[i] == AgentOptionSet.LogLevelName && i + 1 < args.Count
                ? args[i + 1]
                : args[i].StartsWith(AgentOptionSet.LogLevelName + "=", StringComparison.Ordinal) ? args[i][(AgentOptionSet.LogLevelName.Length + 1)..] : "";
            if (level is "debug" or "trace")
                return true;
        }

        return false;
    }

    /// <summary>
    /// kube-proxy's arguments have <c>--name=$(VARIABLE)</c>, whose variable may be empty; the parser would miss a value.
    /// </summary>
    public static IReadOnlyList<string> SeparateEmptyValues(IReadOnlyList<string> args) => args is [AgentName or AuditCommand.AuditName, ..]
        ? [.. args.SelectMany(arg => arg is ['-', '-', .. var name, '='] && !name.Contains('=') ? [arg[..^1], ""] : new[] { arg })]
        : args;
}
