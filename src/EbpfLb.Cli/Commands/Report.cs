// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using EbpfLb.Cli.Output;

namespace EbpfLb.Cli.Commands;

/// <summary>What a reader found, ready to be printed in any format.</summary>
internal abstract class Report
{
    public virtual int ExitCode => Cli.ExitCode.Done;

    public abstract void WriteJson(TextWriter output);

    public abstract void WriteYaml(TextWriter output);

    public abstract void WriteTable(Terminal terminal, bool wide);
}
