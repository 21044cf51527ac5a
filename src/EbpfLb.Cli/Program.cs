// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Agent;
using EbpfLb.Cli;
using EbpfLb.Cli.Output;

if (!DescriptorLimit.IsEnough())
    return ExitCode.Failed;

var terminal = Terminal.OfProcess();
int exitCode = await new CommandLine(terminal, RunAgentAsync, AuditProcess.RunAsync, Environment.GetEnvironmentVariable).RunAsync(args);
try
{
    await terminal.Out.FlushAsync();
    return exitCode;
}
catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
{
    await terminal.Error.WriteLineAsync($"error: the output cannot be written: {exception.Message}");
    return ExitCode.Failed;
}

static Task<int> RunAgentAsync(AgentOptions options, CancellationToken stopping)
{
    AgentPrivileges.Reduce();
    return AgentProcess.RunAsync(options, stopping);
}
