// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.CommandLine;

namespace EbpfLb.Cli.Commands;

/// <param name="details">Printed below the options by --help: examples, and the keys of the JSON.</param>
internal abstract class DescribedCommand(string name, string description, string details) : Command(name, description)
{
    public string Details => details;

    protected static Option<string?> BpfFsOption() => new("--bpffs")
    {
        Description = "A mounted BPF file system. Default: the one /proc/self/mounts names.",
        HelpName = "DIR",
    };
}
