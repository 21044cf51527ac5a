// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.CommandLine;
using EbpfLb.Cli.Output;
using EbpfLb.Datapath.Loading;

namespace EbpfLb.Cli.Commands;

internal sealed class CleanupCommand : DescribedCommand
{
    private const string Help =
        """
        From then on this node balances nothing: new connections to a service address fail until an agent has run again, or another
        proxy takes over. Connections of this node's processes go on; those of clients outside, whose packets were translated, end.
        Refused while an agent runs; stop it first. Touches nothing that is not ours.

        Examples:
          ebpflb cleanup
        """;

    private readonly Option<string?> _bpffs = BpfFsOption();
    private readonly Terminal _terminal;

    public CleanupCommand(Terminal terminal)
        : base("cleanup", "Take the datapath off this node: detach the programs, remove the maps.", Help)
    {
        _terminal = terminal;
        Add(_bpffs);
        SetAction(result => Run(result.GetValue(_bpffs)));
    }

    private int Run(string? bpffs)
    {
        using var pins = PinDirectory.TryOpen(bpffs);
        if (pins is null)
        {
            _terminal.Out.WriteLine($"Nothing to do: no datapath is installed{(bpffs is null ? "" : $" on {Printable.Of(bpffs)}")}.");
            return ExitCode.Done;
        }

        string path = Printable.Of(pins.Path);
        var removed = Cleanup.Run(pins);
        _terminal.Out.WriteLine(removed.Links + removed.Programs + removed.Maps == 0
            ? $"Nothing to do: {path} held no program and no map of ours."
            : $"Removed {Count(removed.Links, "link")}, {Count(removed.Programs, "program")} and {Count(removed.Maps, "map")} "
                + $"from {path}.");
        foreach (string foreign in removed.Foreign)
            _terminal.Out.WriteLine($"Left in place, because it is not ours: {Printable.Of(foreign)}");
        return ExitCode.Done;
    }

    private static string Count(int count, string noun) => count == 1 ? $"1 {noun}" : $"{count} {noun}s";
}
