// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using EbpfLb.Agent;
using EbpfLb.Cli.Commands;
using EbpfLb.Cli.Output;

namespace EbpfLb.Cli;

/// <summary>The commands, and what becomes of a line: its errors, its exit status.</summary>
/// <param name="terminal">Where everything is written.</param>
/// <param name="runAgent"><see cref="AgentProcess.RunAsync"/>.</param>
/// <param name="runAudit"><see cref="AuditProcess.RunAsync"/>.</param>
/// <param name="environment">What the agent's settings come from besides the line.</param>
internal sealed class CommandLine(
    Terminal terminal, Func<AgentOptions, CancellationToken, Task<int>> runAgent,
    Func<AgentOptions, bool, CancellationToken, Task<AuditFindings>> runAudit, Func<string, string?> environment)
{
    public const string DebugVariable = "EBPFLB_DEBUG";

    public async Task<int> RunAsync(IReadOnlyList<string> args, CancellationToken stopping = default)
    {
        var root = CreateRoot();
        var result = root.Parse(AgentCommand.SeparateEmptyValues(args), new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (result.Action is ParseErrorAction)
            return WrongUsage(result, Misread(result));
        if (result.Action == result.CommandResult.Command.Action && MistakenForValue(result) is { } option)
            return WrongUsage(result, [$"Unrecognized command or argument '{option}'."]);

        try
        {
            // Signals are the agent's own business; a reader dies of them.
            var configuration = new InvocationConfiguration
            {
                Output = terminal.Out,
                Error = terminal.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            };
            return await result.InvokeAsync(configuration, stopping).ConfigureAwait(false);
        }
        catch (Exception exception) when (IsExpected(exception))
        {
            await terminal.Error.WriteLineAsync($"error: {Printable.Of(exception.Message)}").ConfigureAwait(false);
            if (!Environment.IsPrivilegedProcess)
                await terminal.Error.WriteLineAsync("hint: the datapath belongs to root; run this command as root").ConfigureAwait(false);
            WriteStack(exception, args);
            return ExitCode.Failed;
        }
        catch (Exception exception)
        {
            // The last frame before the process ends: one line for the operator, everything for who asks.
            await terminal.Error.WriteLineAsync(
                $"error: {Printable.Of(exception.Message)} ({exception.GetType().Name}, unexpected)").ConfigureAwait(false);
            if (!WriteStack(exception, args))
            {
                await terminal.Error.WriteLineAsync(
                    $"hint: run it again with {DebugVariable}=1 in the environment (agent: or --log-level debug) for the stack; "
                    + "it belongs in a report of this bug").ConfigureAwait(false);
            }

            return ExitCode.Failed;
        }
    }

    private RootCommand CreateRoot()
    {
        var root = new RootCommand("Kubernetes service load balancing in the kernel, by eBPF.")
        {
            new AgentCommand(terminal, runAgent, environment),
            new StatusCommand(terminal),
            new ServicesCommand(terminal),
            new FrontendsCommand(terminal),
            new BackendsCommand(terminal),
            new AffinityCommand(terminal),
            new ConntrackCommand(terminal),
            new CountersCommand(terminal),
            new MapsCommand(terminal),
            new AuditCommand(terminal, runAudit, environment),
            new CleanupCommand(terminal),
            new CompletionCommand(terminal),
            new VersionCommand(terminal),
        };
        foreach (var option in root.Options)
        {
            if (option is HelpOption { Action: HelpAction help })
            {
                option.Action = new HelpWithDetails(help);
                option.Aliases.Remove("/h");
                option.Aliases.Remove("/?");
                option.Aliases.Remove("-?");
            }
            else if (option is VersionOption)
                option.Action = new VersionCommand.Print(terminal);
        }

        return root;
    }

    private int WrongUsage(ParseResult result, IEnumerable<string> errors)
    {
        foreach (string error in errors)
            terminal.Error.WriteLine($"error: {Printable.Of(error)}");
        terminal.Error.WriteLine($"Try '{CommandPath(result)} --help'.");
        return ExitCode.WrongUsage;
    }

    // A word that was not understood is the cause of whatever else is missing.
    private static string[] Misread(ParseResult result)
    {
        string[] errors = [.. result.Errors.Select(error => error.Message).Distinct()];
        string[] misread = [.. errors.Where(error => result.UnmatchedTokens.Any(token => error.Contains(token, StringComparison.Ordinal)))];
        return misread.Length > 0 ? misread : errors;
    }

    // The parser takes an option it does not know for a value of whatever wants one. No name or path here begins so; './-x' does not.
    private static string? MistakenForValue(ParseResult result) => result.Tokens
        .TakeWhile(token => token.Type != TokenType.DoubleDash)
        .Where(token => token.Type == TokenType.Argument)
        .Select(token => token.Value)
        .FirstOrDefault(value => value is ['-', '-' or (>= 'A' and <= 'Z') or (>= 'a' and <= 'z'), ..]);

    private static string CommandPath(ParseResult result) =>
        result.CommandResult.Command is RootCommand ? VersionCommand.Name : $"{VersionCommand.Name} {result.CommandResult.Command.Name}";

    // Every exception type of this product is thrown with a message for its operator. One of anybody else's is a bug that got this far.
    private static bool IsExpected(Exception exception) =>
        exception.GetType().Namespace?.StartsWith($"{nameof(EbpfLb)}.", StringComparison.Ordinal) == true;

    private bool WriteStack(Exception exception, IReadOnlyList<string> args)
    {
        bool wanted = !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(DebugVariable)) || AgentCommand.AsksForDebug(args);
        if (wanted)
            terminal.Error.WriteLine(exception.ToString());
        return wanted;
    }

    /// <summary>The generated help, and below it what only the command itself can say.</summary>
    private sealed class HelpWithDetails(HelpAction help) : SynchronousCommandLineAction
    {
        public override bool Terminating => true;

        public override int Invoke(ParseResult parseResult)
        {
            help.Invoke(parseResult);
            if (parseResult.CommandResult.Command is DescribedCommand { Details: { Length: > 0 } details })
                parseResult.InvocationConfiguration.Output.WriteLine(details);
            else if (parseResult.CommandResult.Command is RootCommand)
                parseResult.InvocationConfiguration.Output.WriteLine(RootDetails);
            return ExitCode.Done;
        }
    }

    private const string RootDetails =
        """
        Exit status:
          0 done, 1 failed, 2 wrong usage. 'status' is 0 only if all is well, 'audit' only if nothing differs.

        Examples:
          ebpflb agent --kubeconfig FILE            program the services of a cluster
          ebpflb agent --manifests /etc/ebpflb      program the services described in a directory
          ebpflb status                             is this node all right?
          ebpflb services -n kube-system            what is served
          ebpflb services -o json | jq '.[].name'   the same for scripts
          source <(ebpflb completion bash)          completion in this shell
        """;
}
