// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.CommandLine;
using EbpfLb.Cli.Output;

namespace EbpfLb.Cli.Commands;

internal sealed class CompletionCommand : DescribedCommand
{
    private const string Help =
        """
        Commands, options and their values are completed, and as root the names of services.

        Examples:
          source <(ebpflb completion bash)                                   in this shell
          ebpflb completion bash > /etc/bash_completion.d/ebpflb             in every bash
          ebpflb completion zsh > "${fpath[1]}/_ebpflb"                      in every zsh
          ebpflb completion fish > ~/.config/fish/completions/ebpflb.fish    in every fish
        """;

    private static readonly string[] Shells = ["bash", "zsh", "fish"];

    private readonly Argument<string> _shell = new("SHELL") { Description = $"One of {string.Join(", ", Shells)}." };

    public CompletionCommand(Terminal terminal)
        : base("completion", "Print a completion script for a shell.", Help)
    {
        _shell.AcceptOnlyFromAmong(Shells);
        Add(_shell);
        SetAction(result => terminal.Out.Write(Script(result.GetRequiredValue(_shell))));
    }

    private static string Script(string shell)
    {
        using var stream = typeof(CompletionCommand).Assembly.GetManifestResourceStream($"completion/.{shell}")
            ?? throw new InvalidOperationException($"The assembly was built without the completion script for {shell}.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
