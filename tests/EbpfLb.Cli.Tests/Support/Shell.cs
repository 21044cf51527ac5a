// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Agent;
using EbpfLb.Cli.Output;

namespace EbpfLb.Cli.Tests.Support;

/// <summary>Types a line, and keeps what came of it; of an agent, the options it would have been started with.</summary>
internal sealed class Shell
{
    public AgentOptions? Started { get; private set; }

    /// <summary>Thrown by the agent in place of running.</summary>
    public Exception? AgentFailure { get; init; }

    /// <summary>Of an audit, in place of one.</summary>
    public AuditFindings? Findings { get; init; }

    /// <summary>Whether the audit was to repair.</summary>
    public bool Repaired { get; private set; }

    public bool IsInteractive { get; init; }

    /// <summary>Variables that are set; the test's own are not.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    public static Result Run(params string[] args) => new Shell().Type(args);

    public Result Type(params string[] args)
    {
        var output = new StringWriter();
        var error = new StringWriter();
        var terminal = new Terminal(output, error, IsInteractive, new FixedTime());
        int exitCode = new CommandLine(terminal, RunAgent, RunAudit, Environment.GetValueOrDefault).RunAsync(args).GetAwaiter().GetResult();
        return new Result(exitCode, output.ToString(), error.ToString());
    }

    private Task<int> RunAgent(AgentOptions options, CancellationToken stopping)
    {
        Started = options;
        return AgentFailure is null ? Task.FromResult(ExitCode.Done) : throw AgentFailure;
    }

    private Task<AuditFindings> RunAudit(AgentOptions options, bool repair, CancellationToken stopping)
    {
        Started = options;
        Repaired = repair;
        return Findings is null ? AuditProcess.RunAsync(options, repair, stopping) : Task.FromResult(Findings);
    }

    public sealed record Result(int ExitCode, string Out, string Error)
    {
        public string[] Lines => Out.TrimEnd('\n').Split('\n');

        /// <summary>The first line, cells separated by one blank.</summary>
        public string Header => Narrow(Lines[0]);

        /// <summary>The lines below it, likewise.</summary>
        public string[] Rows => [.. Lines.Skip(1).Select(Narrow)];

        private static string Narrow(string line) => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    private sealed class FixedTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);
    }
}
