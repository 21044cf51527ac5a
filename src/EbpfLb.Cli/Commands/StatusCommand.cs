// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
using System.CommandLine;
using EbpfLb.Cli.Output;
using EbpfLb.Datapath.Inspection;

namespace EbpfLb.Cli.Commands;

internal sealed class StatusCommand : ReaderCommand
{
    private const string Help =
        """
        The first line is the verdict:
          OK            services are served and changes followed
          DEGRADED: ... services are served, but not all, not everywhere, or not as of now
          DOWN: ...     no service is served
        Exit status: 0 for OK, 1 otherwise.
        Devices of pods are listed when something is wrong with them; 'wide' lists them all.

        Examples:
          ebpflb status
          ebpflb status -o json | jq .reasons

        JSON (an object with these keys; yaml has the same):
          verdict ("OK", "DEGRADED", "DOWN"), reasons, pinPath (null: not installed),
          kernel {release, missing [{feature, since, consequence}]},
          agent {running, pid, version, node, source, startedAt, startedSecondsAgo, syncedSecondsAgo (null: never), syncs,
          desiredServices, failed, problems} (null: the maps cannot be read),
          audit {endedSecondsAgo (null: not yet), runs, differed, left (not repaired), repaired, putBack} (of the agent, since its start),
          programs [{name, hook, state ("attached", "missing", "detached"), programId}], cgroups [{id, path}],
          devices [{index, name (null: gone, or not visible from here), kind ("uplink", "pod", null: no link), gone,
          saidAttached (by the agent), xdpMode ("native", "generic", "offloaded", null: none, or not visible from here),
          foreignXdp {programId, name} (null: none, or not visible from here),
          links [{hook ("xdp", "tc_ingress", "tc_egress", "tc_pod"), state ("attached", "detached"), programId,
          filter (of clsact, on a kernel without tcx)}]}],
          services, frontends, backends (entries in the maps), maps (as 'ebpflb maps'), problems [{object, message}]
        """;

    private readonly Terminal _terminal;

    public StatusCommand(Terminal terminal)
        : base(
            terminal, "status", "Is this node all right? The agent, the programs, the maps, and what could not be done.", Help,
            hasWide: true)
    {
        _terminal = terminal;
    }

    protected override Report Read(ParseResult result, string? bpffs) =>
        new StatusReport(StatusView.Read(bpffs), _terminal.Time.GetUtcNow());
}
