// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.CommandLine;
using System.CommandLine.Invocation;
using System.Reflection;
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
        string version = typeof(VersionCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
        string[] parts = version.Split('+', 2);
        string revision = parts.Length == 2 ? $" ({parts[1][..Math.Min(parts[1].Length, 12)]})" : "";
        terminal.Out.WriteLine($"{Name} {parts[0]}{revision}");
        return ExitCode.Done;
    }

    /// <summary>The same for --version.</summary>
    internal sealed class Print(Terminal terminal) : SynchronousCommandLineAction
    {
        public override bool Terminating => true;

        public override int Invoke(ParseResult parseResult) => Write(terminal);
    }
}
