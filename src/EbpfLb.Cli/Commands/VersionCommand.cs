// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.CommandLine;
using System.CommandLine.Invocation;
using EbpfLb.Agent;
using EbpfLb.Cli.Output;

namespace EbpfLb.Cli.Commands;

internal sealed class VersionCommand : DescribedCommand
{
    public new const string Name = "ebpflb";

    public VersionCommand(Terminal terminal)
        : base("version", "Print the version.", "")
    {
        SetAction(_ => Write(terminal));
    }

    private static int Write(Terminal terminal)
    {
        terminal.Out.WriteLine($"{Name} {AgentProcess.Version}");
        return ExitCode.Done;
    }

    /// <summary>The same for --version.</summary>
    internal sealed class Print(Terminal terminal) : SynchronousCommandLineAction
    {
        public override bool Terminating => true;

        public override int Invoke(ParseResult parseResult) => Write(terminal);
    }
}
